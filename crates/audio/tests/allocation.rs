//! Nothing that is heard or made by the frame allocates: media threads call it for each packet.

// An allocator cannot be written without.
#![allow(unsafe_code)]

use audio::Law;
use audio::amd::{AmdParams, AnswerDetector};
use audio::dtmf::{DtmfDetector, DtmfGenerator, KeyTone};
use audio::progress::{ProgressDetector, Stage};
use audio::tone::ToneGenerator;
use audio::tone::network::tones_of;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: it came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The only test of this binary, since the allocator counts for all threads.
#[test]
fn detectors_and_generators_allocate_nothing() {
    let speech = include_bytes!("speech/machine-en.ulaw");
    let mut samples = vec![0; speech.len()];
    Law::Mu.decode(speech, &mut samples);
    let row = tones_of("GB").expect("a row");
    let mut keys = DtmfDetector::default();
    let mut tones = ProgressDetector::new(Some(row), Stage::Ringing);
    let mut answer = AnswerDetector::new(AmdParams::default());
    let mut busy = ToneGenerator::new(row.busy);
    let mut frame = [0; 160];
    let mut told = 0;

    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for spoken in samples.chunks_exact(160) {
        answer.hear(spoken, |_| told += 1);
    }
    for key in ['1', '#'] {
        let mut key = DtmfGenerator::new(key, KeyTone::default()).expect("a key");
        while key.fill(&mut frame) > 0 {
            keys.hear(&frame, |_| told += 1);
        }
    }
    for _ in 0..200 {
        busy.fill(&mut frame);
        tones.hear(&frame, |_| told += 1);
    }
    let allocated = ALLOCATIONS.load(Ordering::Relaxed) - before;
    assert_eq!(told, 4, "an answer, two keys and busy: otherwise too little was done");
    assert_eq!(allocated, 0);
}
