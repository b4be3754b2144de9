//! The names of kinds of events, as they are written and asked for.

/// Those of all kinds, in the order of [`crate::Kind`].
pub const KINDS: [&str; 84] = [
    "node_started",
    "node_stopped",
    "config_applied",
    "alarm",
    "requested",
    "source_banned",
    "ban_lifted",
    "registered",
    "unregistered",
    "trunk_registered",
    "trunk_registration_failed",
    "trunk_unregistered",
    "trunk_target_down",
    "trunk_target_up",
    "trunk_target_rests",
    "trunk_full",
    "call_blocked",
    "contact_started",
    "caller_verified",
    "leg_started",
    "sip",
    "leg_ringing",
    "leg_answered",
    "held",
    "resumed",
    "fax_started",
    "fax_ended",
    "fax_refused",
    "media_started",
    "media_silent",
    "media_one_way",
    "media_ended",
    "leg_ended",
    "flow_step",
    "flow_branch",
    "digit",
    "play_failed",
    "dial_started",
    "dial_ended",
    "early_media",
    "bridged_early",
    "bridged",
    "unbridged",
    "value_changed",
    "http_ended",
    "room_entered",
    "room_left",
    "room_muted",
    "room_gain",
    "queue_entered",
    "queue_offered",
    "queue_offer_ended",
    "queue_left",
    "caller_directed",
    "agent_wishes",
    "agent_directed",
    "callback_kept",
    "callback_tried",
    "callback_failed",
    "callback_ended",
    "calls_back",
    "agent_changed",
    "supervision_started",
    "supervision_changed",
    "taken_over",
    "supervision_ended",
    "recording_started",
    "recording_hushed",
    "recording_resumed",
    "recording_ended",
    "voicemail_started",
    "voicemail_left",
    "voicemail_dropped",
    "voicemail_heard",
    "voicemail_deleted",
    "leg_replaced",
    "released",
    "code_dialled",
    "transfer_started",
    "transfer_ended",
    "leg_left",
    "leg_joined",
    "redirected",
    "contact_ended",
];

#[cfg(test)]
mod tests {
    use super::KINDS;

    #[test]
    fn each_kind_has_its_name_here() {
        let unknown =
            serde_json::from_str::<crate::Kind>(r#"{"kind":"nothing of that kind"}"#).expect_err("unknown");
        let said = unknown.to_string();
        let (_, listed) = said.split_once("expected one of ").expect("serde lists what there is");
        let listed: Vec<_> = listed.split('`').skip(1).step_by(2).collect();
        assert_eq!(listed, KINDS);
    }
}
