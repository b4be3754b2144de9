use crate::prompts::Audio;
use audio::Law;
use rtp::Codec;
use rtp::control::PlayId;
use std::sync::Arc;

/// A list of files on its way to a stream: one sounds while the next is loaded.
#[derive(Debug)]
pub(crate) struct Playback {
    id: PlayId,
    files: Vec<Arc<str>>,
    /// How often the list is still to be begun after this time; `None` for ever.
    repeats: Option<u32>,
    /// Index of the file that is loaded after the one ahead.
    next: usize,
    sound: Option<Sound>,
    ahead: Ahead,
}

#[derive(Debug)]
struct Sound {
    codec: Codec,
    audio: Arc<[u8]>,
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
    /// Filled, the end of the last file padded with silence.
    Frame,
    /// The next file is not loaded yet.
    Waiting,
    Finished,
    /// The next file cannot be played.
    Failed(String),
}

impl Playback {
    /// Plays `files` in order, the whole list `times` times.
    pub(crate) fn new(id: PlayId, files: Vec<Arc<str>>, times: Option<u32>) -> Self {
        let ahead = if files.is_empty() || times == Some(0) { Ahead::Over } else { Ahead::Wanted };
        Self { id, files, repeats: times.map(|times| times.saturating_sub(1)), next: 0, sound: None, ahead }
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
        let file = Arc::clone(self.files.get(self.next)?);
        self.next += 1;
        self.ahead = Ahead::Requested(codec);
        Some(file)
    }

    /// Takes the file that was requested.
    pub(crate) fn loaded(&mut self, audio: Audio) {
        if let Ahead::Requested(codec) = self.ahead {
            self.ahead = Ahead::Loaded(codec, audio);
        }
    }

    /// Fills a frame with the next sound in `codec`, across the files' borders.
    pub(crate) fn fill(&mut self, frame: &mut [u8], codec: Codec) -> Fill {
        let mut filled = 0;
        while filled < frame.len() {
            if let Some(sound) = &mut self.sound {
                filled += sound.take(&mut frame[filled..], codec);
                if sound.position == sound.audio.len() {
                    self.sound = None;
                }
                continue;
            }
            match self.advance() {
                None => {}
                Some(_) if filled > 0 => {
                    frame[filled..].fill(Law::of(codec).silence());
                    return Fill::Frame;
                }
                Some(end) => return end,
            }
        }
        Fill::Frame
    }

    /// Lets the file ahead sound, or says why it cannot.
    fn advance(&mut self) -> Option<Fill> {
        match std::mem::replace(&mut self.ahead, Ahead::Over) {
            Ahead::Loaded(codec, Ok(audio)) => {
                self.sound = Some(Sound { codec, audio, position: 0 });
                self.ahead = self.after();
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

    /// What comes after the file that has just begun; counts the list's repetitions down.
    fn after(&mut self) -> Ahead {
        if self.next < self.files.len() {
            return Ahead::Wanted;
        }
        self.next = 0;
        match &mut self.repeats {
            Some(0) => Ahead::Over,
            Some(repeats) => {
                *repeats -= 1;
                Ahead::Wanted
            }
            None => Ahead::Wanted,
        }
    }
}

impl Sound {
    /// Copies as much as fits, and says how much.
    fn take(&mut self, into: &mut [u8], codec: Codec) -> usize {
        let rest = &self.audio[self.position..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        if let Some(table) = Law::of(self.codec).table_to(Law::of(codec)) {
            into[..count].iter_mut().for_each(|byte| *byte = table[usize::from(*byte)]);
        }
        self.position += count;
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn playback(files: &[&str], times: Option<u32>) -> Playback {
        Playback::new(PlayId(1), files.iter().map(|file| (*file).into()).collect(), times)
    }

    /// Loads what is wanted: each file is as many bytes as its name says, all of its first digit.
    fn serve(playback: &mut Playback) {
        if let Some(file) = playback.request(Codec::Pcmu) {
            let count: usize = file.parse().expect("a number");
            playback.loaded(Ok(vec![file.as_bytes()[0]; count].into()));
        }
    }

    fn play(playback: &mut Playback, frames: usize) -> Vec<u8> {
        let mut out = Vec::new();
        for _ in 0..frames {
            serve(playback);
            let mut frame = [0; 10];
            if playback.fill(&mut frame, Codec::Pcmu) != Fill::Frame {
                break;
            }
            out.extend(frame);
        }
        out
    }

    #[test]
    fn files_follow_each_other_within_a_frame_and_the_end_is_silence() {
        let mut list = playback(&["14", "22"], Some(1));
        let expected = [[b'1'; 14].as_slice(), &[b'2'; 22], &[Law::Mu.silence(); 4]].concat();
        assert_eq!(play(&mut list, 9), expected);
        assert_eq!(list.fill(&mut [0; 10], Codec::Pcmu), Fill::Finished);
    }

    #[test]
    fn a_list_is_repeated_as_often_as_asked_or_for_ever() {
        assert_eq!(play(&mut playback(&["10", "20"], Some(2)), 99).len(), 60);
        assert_eq!(play(&mut playback(&["10", "20"], None), 99).len(), 990);
        assert_eq!(play(&mut playback(&["10"], Some(0)), 99).len(), 0);
        assert_eq!(play(&mut playback(&[], None), 99).len(), 0);
    }

    #[test]
    fn a_bad_file_ends_the_list_only_when_its_turn_comes() {
        let mut list = playback(&["10", "20"], Some(1));
        let mut frame = [0; 10];
        assert_eq!(list.fill(&mut frame, Codec::Pcmu), Fill::Waiting);
        serve(&mut list);
        assert_eq!(list.fill(&mut frame, Codec::Pcmu), Fill::Frame);
        assert_eq!(list.request(Codec::Pcmu).as_deref(), Some("20"));
        assert_eq!(list.fill(&mut frame, Codec::Pcmu), Fill::Waiting);
        list.loaded(Err("prompt 20: gone".to_owned()));
        assert_eq!(list.fill(&mut frame, Codec::Pcmu), Fill::Failed("prompt 20: gone".to_owned()));
    }

    #[test]
    fn a_change_of_codec_in_the_middle_is_translated() {
        let mut list = playback(&["99"], Some(1));
        serve(&mut list);
        let mut frame = [0; 10];
        assert_eq!(list.fill(&mut frame, Codec::Pcma), Fill::Frame);
        let mut samples = ([0; 1], [0; 1]);
        Law::A.decode(&frame[..1], &mut samples.0);
        Law::Mu.decode(b"9", &mut samples.1);
        assert!((samples.0[0] - samples.1[0]).abs() <= samples.1[0].abs() / 20, "{samples:?}");
    }
}
