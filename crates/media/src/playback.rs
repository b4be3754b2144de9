use crate::prompts::{Audio, Encoded, PACKET_MILLIS, fill_silence, translation};
use rtp::Codec;
use rtp::control::PlayId;
use std::sync::Arc;

/// A list of files on its way to a stream: one sounds while the next is loaded.
#[derive(Debug)]
pub(crate) struct Playback {
    id: PlayId,
    files: Vec<Arc<str>>,
    /// Files to play in all, the list's repetitions included; `None` for ever.
    total: Option<u64>,
    /// Files that were asked for.
    asked: u64,
    sound: Option<Sound>,
    ahead: Ahead,
    /// Where in the file ahead to begin, in milliseconds.
    resume: u32,
}

#[derive(Debug)]
struct Sound {
    audio: Arc<Encoded>,
    position: usize,
}

/// The file after the one that sounds.
#[derive(Debug)]
enum Ahead {
    /// Not asked for yet.
    Wanted,
    Requested(Codec),
    Loaded(Codec, Audio),
    /// There is none.
    Over,
}

/// What a frame became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// So many bytes that last so many milliseconds, the end of the last file padded with silence.
    Frame {
        bytes: usize,
        millis: u8,
    },
    /// The next file is not loaded yet.
    Waiting,
    Finished,
    /// The next file cannot be played.
    Failed(String),
}

impl Playback {
    /// Plays `files` in order, the whole list `times` times.
    pub(crate) fn new(id: PlayId, files: Vec<Arc<str>>, times: Option<u32>) -> Self {
        let total = times.map(|times| u64::from(times) * files.len() as u64);
        let ahead = if files.is_empty() || total == Some(0) { Ahead::Over } else { Ahead::Wanted };
        Self { id, files, total, asked: 0, sound: None, ahead, resume: 0 }
    }

    /// Its number.
    pub(crate) fn id(&self) -> PlayId {
        self.id
    }

    /// The file to load now, if one is wanted; it is taken for requested from here on.
    pub(crate) fn request(&mut self, codec: Codec) -> Option<Arc<str>> {
        if !matches!(self.ahead, Ahead::Wanted) {
            return None;
        }
        let file = self.files.get((self.asked % self.files.len() as u64) as usize)?;
        self.asked += 1;
        self.ahead = Ahead::Requested(codec);
        Some(Arc::clone(file))
    }

    /// Which of its files was requested last, from 1.
    pub(crate) fn asked(&self) -> u64 {
        self.asked
    }

    /// The answer to a request would come to another thread: the file is wanted again.
    pub(crate) fn forget_request(&mut self) {
        if let Ahead::Requested(_) = self.ahead {
            self.ahead = Ahead::Wanted;
            self.asked -= 1;
        }
    }

    /// Takes the file that was requested; another one, or one in a codec that is no longer wanted, comes too late.
    pub(crate) fn loaded(&mut self, file: u64, codec: Codec, audio: Audio) {
        if matches!(self.ahead, Ahead::Requested(wanted) if wanted == codec) && file == self.asked {
            self.ahead = Ahead::Loaded(codec, audio);
        }
    }

    /// From now on it is sent in `codec`: what was loaded in another is wanted again, from where it is.
    pub(crate) fn recode(&mut self, codec: Codec) {
        let is_foreign = |other: Codec| translation(other, codec).is_none();
        if let Ahead::Requested(other) | Ahead::Loaded(other, Ok(_)) = self.ahead
            && is_foreign(other)
        {
            self.ahead = Ahead::Wanted;
            self.asked -= 1;
        }
        if let Some(sound) = self.sound.take_if(|sound| is_foreign(sound.audio.codec())) {
            if !matches!(self.ahead, Ahead::Wanted | Ahead::Over) {
                self.asked -= 1;
            }
            self.ahead = Ahead::Wanted;
            self.asked -= 1;
            self.resume = sound.audio.millis(sound.position);
        }
    }

    /// Fills a frame of so many milliseconds with the next sound in `codec`, across the files' borders. Opus comes
    /// in packets of its own length.
    pub(crate) fn fill(&mut self, frame: &mut [u8], codec: Codec, millis: u8) -> Fill {
        match codec.bytes_per_milli() {
            Some(bytes) => self.fill_bytes(&mut frame[..bytes * usize::from(millis)], codec, millis),
            None => self.fill_packet(frame),
        }
    }

    fn fill_bytes(&mut self, frame: &mut [u8], codec: Codec, millis: u8) -> Fill {
        let whole = Fill::Frame { bytes: frame.len(), millis };
        let mut filled = 0;
        while filled < frame.len() {
            if let Some(sound) = &mut self.sound {
                filled += sound.take(&mut frame[filled..], codec);
                self.sound.take_if(|sound| sound.position == sound.audio.end());
                continue;
            }
            match self.advance() {
                None => {}
                Some(_) if filled > 0 => {
                    fill_silence(codec, &mut frame[filled..]);
                    return whole;
                }
                Some(end) => return end,
            }
        }
        whole
    }

    fn fill_packet(&mut self, frame: &mut [u8]) -> Fill {
        loop {
            let Some(sound) = &mut self.sound else {
                match self.advance() {
                    None => continue,
                    Some(end) => return end,
                }
            };
            let Some(packet) = sound.audio.packet(sound.position) else {
                self.sound = None;
                continue;
            };
            let bytes = packet.len();
            frame[..bytes].copy_from_slice(packet);
            sound.position += 1;
            return Fill::Frame { bytes, millis: PACKET_MILLIS };
        }
    }

    /// Lets the file ahead sound, or says why it cannot.
    fn advance(&mut self) -> Option<Fill> {
        match std::mem::replace(&mut self.ahead, Ahead::Over) {
            Ahead::Loaded(_, Ok(audio)) => {
                let position = audio.position(std::mem::take(&mut self.resume));
                self.sound = Some(Sound { audio, position });
                self.ahead = if self.total == Some(self.asked) { Ahead::Over } else { Ahead::Wanted };
                None
            }
            Ahead::Loaded(codec, Err(cause)) => {
                self.ahead = Ahead::Loaded(codec, Err(cause.clone()));
                Some(Fill::Failed(cause))
            }
            Ahead::Over => Some(Fill::Finished),
            waiting @ (Ahead::Wanted | Ahead::Requested(_)) => {
                self.ahead = waiting;
                Some(Fill::Waiting)
            }
        }
    }
}

impl Sound {
    /// Copies as much as fits, and says how much.
    fn take(&mut self, into: &mut [u8], codec: Codec) -> usize {
        let rest = &self.audio.bytes()[self.position..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        if let Some(Some(table)) = translation(self.audio.codec(), codec) {
            into[..count].iter_mut().for_each(|byte| *byte = table[usize::from(*byte)]);
        }
        self.position += count;
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use audio::Law;

    fn playback(files: &[&str], times: Option<u32>) -> Playback {
        Playback::new(PlayId(1), files.iter().map(|file| (*file).into()).collect(), times)
    }

    /// Loads what is wanted: each file lasts as many milliseconds as its name says, at a level of its first digit.
    fn serve_in(playback: &mut Playback, codec: Codec) {
        if let Some(file) = playback.request(codec) {
            let millis: usize = file.parse().expect("a number");
            let level = i16::from(file.as_bytes()[0]) * 100;
            let count = millis * audio::Rate::of(codec).per_milli();
            playback.loaded(
                playback.asked(),
                codec,
                Ok(Arc::new(Encoded::new(&vec![level; count], codec).expect("sound"))),
            );
        }
    }

    fn serve(playback: &mut Playback) {
        serve_in(playback, Codec::Pcmu);
    }

    fn level(digit: u8) -> u8 {
        audio::g711::encode_mulaw(i16::from(digit) * 100)
    }

    fn frame() -> Fill {
        Fill::Frame { bytes: 80, millis: 10 }
    }

    fn play(playback: &mut Playback, frames: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..frames {
            serve(playback);
            let mut room = [0; 80];
            if playback.fill(&mut room, Codec::Pcmu, 10) != frame() {
                break;
            }
            out.extend(room);
        }
        out
    }

    #[test]
    fn files_follow_each_other_within_a_frame_and_the_end_is_silence() {
        let mut list = playback(&["14", "22"], Some(1));
        let (first, second, rest) =
            ([level(b'1'); 8 * 14], [level(b'2'); 8 * 22], [Law::Mu.silence(); 8 * 4]);
        assert_eq!(play(&mut list, 9), [&first[..], &second, &rest].concat());
        assert_eq!(list.fill(&mut [0; 80], Codec::Pcmu, 10), Fill::Finished);
    }

    #[test]
    fn a_list_is_repeated_as_often_as_asked_or_for_ever() {
        assert_eq!(play(&mut playback(&["10", "20"], Some(2)), 99).len(), 8 * 60);
        assert_eq!(play(&mut playback(&["10", "20"], None), 99).len(), 8 * 990);
        assert_eq!(play(&mut playback(&["10"], Some(0)), 99).len(), 0);
        assert_eq!(play(&mut playback(&[], None), 99).len(), 0);
    }

    #[test]
    fn a_bad_file_ends_the_list_only_when_its_turn_comes() {
        let mut list = playback(&["10", "20"], Some(1));
        let mut room = [0; 80];
        let mut fill = |list: &mut Playback| list.fill(&mut room, Codec::Pcmu, 10);
        assert_eq!(fill(&mut list), Fill::Waiting);
        serve(&mut list);
        assert_eq!(fill(&mut list), frame());
        assert_eq!(list.request(Codec::Pcmu).as_deref(), Some("20"));
        assert_eq!(fill(&mut list), Fill::Waiting);
        list.loaded(list.asked(), Codec::Pcmu, Err("prompt 20: gone".to_owned()));
        assert_eq!(fill(&mut list), Fill::Failed("prompt 20: gone".to_owned()));
    }

    #[test]
    fn a_change_within_g711_in_the_middle_is_translated() {
        let mut list = playback(&["99"], Some(1));
        serve(&mut list);
        list.recode(Codec::Pcma);
        let mut room = [0; 80];
        assert_eq!(list.fill(&mut room, Codec::Pcma, 10), frame());
        let mut sample = [0];
        Law::A.decode(&room[..1], &mut sample);
        assert!((sample[0] - 5_700).abs() < 300, "{sample:?}");
    }

    #[test]
    fn a_change_to_another_codec_in_the_middle_goes_on_from_there() {
        let mut list = playback(&["100", "60"], Some(1));
        assert_eq!(play(&mut list, 4).len(), 8 * 40);
        list.recode(Codec::Opus);
        let mut room = [0; 500];
        assert_eq!(list.fill(&mut room, Codec::Opus, 10), Fill::Waiting);
        let mut packets = 0;
        loop {
            serve_in(&mut list, Codec::Opus);
            match list.fill(&mut room, Codec::Opus, 10) {
                Fill::Frame { millis: 20, bytes } => assert!(bytes > 2),
                Fill::Finished => break,
                other => panic!("{other:?}"),
            }
            packets += 1;
        }
        assert_eq!(packets, 3 + 3, "60 ms of the first file are left, and 60 of the second");
    }
}
