//! Speech, and what a good phone makes of packets.

use crate::paths::SoundPath;
use audio::{Decoder, Encoder, MAX_SAMPLES, Playout, Rate};
use clock::Time;
use rtp::control::OpusFormat;
use rtp::{Codec, Packet};
use std::path::Path;
use std::time::Duration;

/// What every party asks of Opus.
pub(crate) const OPUS: OpusFormat = OpusFormat { max_bitrate: None, fec: true, dtx: false };

/// What is said, at both rates.
pub(crate) struct Speech {
    narrow: Vec<i16>,
    wide: Vec<i16>,
}

impl Speech {
    pub(crate) fn read(folder: &Path) -> Self {
        let read = |name: &str| {
            let reader = hound::WavReader::open(folder.join(name)).expect("speech");
            reader.into_samples().map(|sample| sample.expect("a sample")).collect()
        };
        Self { narrow: read("speech-8000.wav"), wide: read("speech-16000.wav") }
    }

    /// How many packets of 20 ms it is.
    pub(crate) fn frames(&self) -> usize {
        self.narrow.len() / frame(Rate::Narrow)
    }

    /// The packets of it, in a codec, from the best that the codec holds, after so many milliseconds of silence.
    pub(crate) fn encoded(&self, codec: Codec, silence: usize) -> Vec<Vec<u8>> {
        let rate = Rate::of(codec);
        let samples = if rate == Rate::Narrow { &self.narrow } else { &self.wide };
        encode(codec, rate, &[&vec![0; silence * rate.per_milli()], &samples[..]].concat())
    }
}

const fn frame(rate: Rate) -> usize {
    20 * rate.per_milli()
}

fn encode(codec: Codec, rate: Rate, samples: &[i16]) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(codec, rate, OPUS).expect("Opus");
    let mut room = [0; 2 * MAX_SAMPLES];
    let mut encoded = |samples: &[i16]| {
        let length = encoder.encode(samples, &mut room).expect("20 ms");
        room[..length].to_vec()
    };
    samples.chunks_exact(frame(rate)).map(&mut encoded).collect()
}

/// Writes what the codecs of a path alone make of the speech, without an engine and without a network.
pub(crate) fn write_offline(file: &Path, path: &SoundPath, speech: &Speech, silence: usize) {
    let mut codecs = path.codecs();
    let mut packets = speech.encoded(path.from, silence);
    let mut codec = codecs.next().expect("one at least");
    for next in codecs {
        packets = encode(next, path.rate(), &decode(codec, path.rate(), &packets));
        codec = next;
    }
    write(file, path.rate(), &decode(codec, path.rate(), &packets));
}

fn decode(codec: Codec, rate: Rate, packets: &[Vec<u8>]) -> Vec<i16> {
    let mut decoder = Decoder::new(codec, rate).expect("Opus");
    let mut room = [0; MAX_SAMPLES];
    let mut samples = Vec::new();
    for packet in packets {
        let count = decoder.decode(packet, &mut room).expect("its own codec");
        samples.extend(&room[..count]);
    }
    samples
}

/// Writes what a phone makes of datagrams of RTP, each with the moment at which it came, from the beginning on; how much
/// of it is made up, in percent.
pub(crate) fn write_heard(file: &Path, codec: Codec, rate: Rate, datagrams: &[(Duration, Vec<u8>)]) -> f32 {
    let mut playout = Playout::new(rate);
    let mut waiting = datagrams.iter().peekable();
    let mut heard = Vec::new();
    let end = datagrams.last().map_or(Duration::ZERO, |(at, _)| *at) + Duration::from_millis(500);
    let mut now = Duration::ZERO;
    while now < end {
        while let Some((at, datagram)) = waiting.next_if(|(at, _)| *at <= now) {
            let packet = Packet::parse(datagram).expect("RTP");
            playout.insert(time(*at), &packet.header, codec, packet.payload(datagram));
        }
        let mut sound = [0; frame(Rate::Wide)];
        let sound = &mut sound[..10 * rate.per_milli()];
        playout.pull(time(now), sound);
        heard.extend_from_slice(sound);
        now += Duration::from_millis(10);
    }
    write(file, rate, &heard);
    let stats = playout.stats();
    stats.concealed as f32 * 100.0 / (stats.concealed + stats.decoded).max(1) as f32
}

/// As long after the beginning of time as a phone may have been on.
fn time(since: Duration) -> Time {
    Time::from_millis(1_000) + clock::Duration::from_micros(since.as_micros() as u64)
}

/// Writes the left channel of a recording: what came from the party.
pub(crate) fn write_recorded(file: &Path, recording: &Path) {
    let reader = hound::WavReader::open(recording).expect("a recording");
    let rate = if reader.spec().sample_rate == Rate::Wide.hz() { Rate::Wide } else { Rate::Narrow };
    let left: Vec<i16> = reader.into_samples().step_by(2).map(|sample| sample.expect("a sample")).collect();
    write(file, rate, &left);
}

fn write(file: &Path, rate: Rate, samples: &[i16]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate.hz(),
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, spec).expect("a new file");
    samples.iter().for_each(|sample| writer.write_sample(*sample).expect("disk space"));
    writer.finalize().expect("disk space");
}
