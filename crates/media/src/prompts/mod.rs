//! Prompt files: read, brought to the rate of the codec and encoded on a thread of their own, and kept.

mod encoded;

pub(crate) use encoded::{Encoded, PACKET_MILLIS, fill_silence, translation};

use crate::mailbox::{Input, Mailbox};
use audio::{Rate, resample};
use hound::{SampleFormat, WavReader};
use rtp::Codec;
use rtp::control::{PlayId, StreamId};
use std::collections::HashMap;
use std::fs::Metadata;
use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::SystemTime;

/// Requests that may wait for the disk.
pub(crate) const QUEUE: usize = 4_096;

/// Encoded bytes that are kept: nine hours of prompts.
const CACHE_BYTES: usize = 256 << 20;

/// The longest prompt that is played, in samples of one channel: 22 minutes at 48 kHz, two hours at 8 kHz.
pub const MAX_PROMPT_SAMPLES: u32 = 1 << 26;

/// The rates that are read, in Hz.
const RATES: [u32; 3] = [8_000, 16_000, 48_000];

/// Whose file this is, for the answer to find its playback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) stream: StreamId,
    pub(crate) play: PlayId,
    /// Which of the playback's files, from 1.
    pub(crate) file: u64,
}

/// Asks for a file.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) path: Arc<str>,
    pub(crate) codec: Codec,
    /// The media thread that asks.
    pub(crate) thread: usize,
    pub(crate) ticket: Ticket,
}

/// A file's audio in one codec, or one line that names the file and the cause.
pub(crate) type Audio = Result<Arc<Encoded>, String>;

/// The file thread: answers requests until nobody can ask any more.
pub(crate) fn run(requests: &Receiver<Request>, mailboxes: &[Mailbox]) {
    let mut cache = Cache::new(CACHE_BYTES);
    while let Ok(Request { path, codec, thread, ticket }) = requests.recv() {
        let audio = cache.get(&path, codec);
        if let Some(mailbox) = mailboxes.get(thread) {
            // A thread that has ended no longer wants its file.
            let _gone = mailbox.deliver(Input::Loaded { ticket, codec, audio });
        }
    }
}

/// Encoded files by path and codec, bounded in bytes, the longest unused dropped first.
struct Cache {
    limit: usize,
    bytes: usize,
    uses: u64,
    entries: HashMap<(Arc<str>, Codec), Entry>,
}

struct Entry {
    version: Version,
    audio: Arc<Encoded>,
    used: u64,
}

/// What tells one content of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    modified: Option<SystemTime>,
    length: u64,
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self { modified: metadata.modified().ok(), length: metadata.len() }
    }
}

impl Cache {
    fn new(limit: usize) -> Self {
        Self { limit, bytes: 0, uses: 0, entries: HashMap::new() }
    }

    /// The file as it is on disk now.
    fn get(&mut self, path: &Arc<str>, codec: Codec) -> Audio {
        let metadata = std::fs::metadata(&**path).map_err(|error| format!("prompt {path}: {error}"))?;
        let version = Version::of(&metadata);
        let key = (Arc::clone(path), codec);
        self.uses += 1;
        if let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.version == version) {
            entry.used = self.uses;
            return Ok(Arc::clone(&entry.audio));
        }
        let audio = load(path, codec)?;
        self.remove(&key);
        self.make_room(audio.len());
        self.bytes += audio.len();
        self.entries.insert(key, Entry { version, audio: Arc::clone(&audio), used: self.uses });
        Ok(audio)
    }

    fn make_room(&mut self, wanted: usize) {
        while self.bytes + wanted > self.limit {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone());
            let Some(key) = oldest else { return };
            self.remove(&key);
        }
    }

    fn remove(&mut self, key: &(Arc<str>, Codec)) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.audio.len();
        }
    }
}

/// Reads and encodes one file.
fn load(path: &str, codec: Codec) -> Audio {
    let name = |cause: &dyn std::fmt::Display| format!("prompt {path}: {cause}");
    let reader = WavReader::open(path).map_err(|error| name(&error))?;
    let samples = read(reader, Rate::of(codec)).map_err(|cause| name(&cause))?;
    Ok(Arc::new(Encoded::new(&samples, codec).map_err(|error| name(&error))?))
}

/// The samples of a WAV as a prompt is played from it, one channel at `rate`.
///
/// # Errors
/// One line that says why it cannot be played.
pub fn read_prompt(file: impl Read, rate: Rate) -> Result<Vec<i16>, String> {
    read(WavReader::new(file).map_err(|error| error.to_string())?, rate)
}

/// The samples of a file, its channels mixed.
fn read<R: Read>(mut reader: WavReader<R>, rate: Rate) -> Result<Vec<i16>, String> {
    let spec = reader.spec();
    if spec.bits_per_sample != 16 || spec.sample_format != SampleFormat::Int {
        return Err("not 16-bit PCM; convert it to a WAV of 16-bit samples".to_owned());
    }
    if !matches!(spec.channels, 1 | 2) {
        return Err(format!("{} channels; one or two can be played", spec.channels));
    }
    if !RATES.contains(&spec.sample_rate) {
        return Err(format!("{} Hz; convert it to 8, 16 or 48 kHz", spec.sample_rate));
    }
    if reader.duration() > MAX_PROMPT_SAMPLES {
        return Err(format!("longer than {} samples; cut it", MAX_PROMPT_SAMPLES));
    }
    let mut mono = Vec::with_capacity(reader.duration() as usize);
    let mut samples = reader.samples::<i16>();
    while let Some(first) = samples.next() {
        let first = first.map_err(|error| error.to_string())?;
        mono.push(if spec.channels == 1 {
            first
        } else {
            let second = samples.next().unwrap_or(Ok(first)).map_err(|error| error.to_string())?;
            i16::midpoint(first, second)
        });
    }
    if mono.is_empty() {
        return Err("it holds no sound".to_owned());
    }
    resample(&mono, spec.sample_rate, rate).ok_or_else(|| format!("{} Hz", spec.sample_rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hound::{WavSpec, WavWriter};
    use std::path::Path;

    fn wav(path: &Path, channels: u16, sample_rate: u32, samples: &[i16]) -> Arc<str> {
        let spec = WavSpec { channels, sample_rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let mut writer = WavWriter::create(path, spec).expect("a new file");
        samples.iter().for_each(|sample| writer.write_sample(*sample).expect("disk space"));
        writer.finalize().expect("disk space");
        path.to_str().expect("UTF-8").into()
    }

    fn decoded(audio: &Encoded) -> Vec<i16> {
        let codec = audio.codec();
        let mut decoder = audio::Decoder::new(codec, Rate::of(codec)).expect("Opus");
        let packets: Vec<&[u8]> = match codec {
            Codec::Opus => (0..audio.end()).filter_map(|number| audio.packet(number)).collect(),
            _ => audio.bytes().chunks(80).collect(),
        };
        let decode = |packet| {
            let mut samples = [0; audio::MAX_SAMPLES];
            let count = decoder.decode(packet, &mut samples).expect("a packet");
            samples[..count].to_vec()
        };
        packets.into_iter().flat_map(decode).collect()
    }

    #[test]
    fn a_prompt_is_the_same_sound_at_every_rate_in_mono_and_stereo() {
        let directory = tempfile::tempdir().expect("a directory");
        for (channels, rate) in [(1, 8_000), (2, 8_000), (1, 16_000), (2, 48_000)] {
            let beat =
                |n: u32| (4_000.0 * (n as f32 * 800.0 * std::f32::consts::TAU / rate as f32).sin()) as i16;
            let samples: Vec<i16> =
                (0..rate / 10).flat_map(|n| vec![beat(n); usize::from(channels)]).collect();
            let path =
                wav(&directory.path().join(format!("{channels}-{rate}.wav")), channels, rate, &samples);
            for codec in Codec::ALL {
                let audio = Cache::new(CACHE_BYTES).get(&path, codec).expect("a good prompt");
                let heard = decoded(&audio);
                assert_eq!(heard.len(), 100 * Rate::of(codec).per_milli(), "{codec:?}");
                let middle = &heard[heard.len() / 4..heard.len() * 3 / 4];
                let power = middle.iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>();
                let level = (2.0 * power / middle.len() as f32).sqrt();
                assert!((3_500.0..4_500.0).contains(&level), "{codec:?} from {rate} Hz: {level}");
            }
        }
    }

    #[test]
    fn a_changed_file_is_read_again_and_an_unchanged_one_is_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = wav(&directory.path().join("hours.wav"), 1, 8_000, &[1_000; 80]);
        let mut cache = Cache::new(CACHE_BYTES);
        let first = cache.get(&path, Codec::Pcmu).expect("a good prompt");
        assert!(Arc::ptr_eq(&first, &cache.get(&path, Codec::Pcmu).expect("a good prompt")));
        wav(&directory.path().join("hours.wav"), 1, 8_000, &[2_000; 90]);
        assert_eq!(cache.get(&path, Codec::Pcmu).expect("a good prompt").len(), 90);
        assert_eq!(cache.bytes, 90);
    }

    #[test]
    fn the_cache_keeps_to_its_limit_and_to_what_was_used_last() {
        let directory = tempfile::tempdir().expect("a directory");
        let paths = ["a", "b", "c"].map(|name| wav(&directory.path().join(name), 1, 8_000, &[5; 100]));
        let mut cache = Cache::new(250);
        for index in [0, 1, 0, 2] {
            cache.get(&paths[index], Codec::Pcma).expect("a good prompt");
        }
        assert_eq!(cache.bytes, 200);
        assert!(cache.entries.contains_key(&(Arc::clone(&paths[0]), Codec::Pcma)));
        assert!(!cache.entries.contains_key(&(Arc::clone(&paths[1]), Codec::Pcma)));
    }

    #[test]
    fn what_cannot_be_played_is_told_with_file_and_cause() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("text.wav"), "not a WAV file at all").expect("disk space");
        let bad = [
            (at("missing.wav").to_str().expect("UTF-8").into(), "No such file"),
            (at("text.wav").to_str().expect("UTF-8").into(), "RIFF"),
            (wav(&at("cd.wav"), 2, 44_100, &[0; 8]), "44100 Hz"),
            (wav(&at("surround.wav"), 6, 48_000, &[0; 12]), "6 channels"),
            (wav(&at("empty.wav"), 1, 8_000, &[]), "no sound"),
        ];
        for (path, cause) in bad {
            let error = Cache::new(CACHE_BYTES).get(&path, Codec::Pcmu).expect_err("a bad prompt");
            assert!(error.contains(&*path) && error.contains(cause), "{error}");
        }
    }
}
