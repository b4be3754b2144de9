//! Where speech repeats itself.

/// The offset back from the end of `past` at which its last `template` samples look most like what came
/// before: the period of a voice, or a multiple of it, between `shortest` and `longest` samples. `past` must
/// hold `template + longest` samples.
///
/// What is compared is the correlation, squared and by energy, so that a quiet likeness counts as much as a
/// loud one.
pub(crate) fn period(past: &[i16], template: usize, shortest: usize, longest: usize) -> usize {
    let end = past.len();
    let newest = &past[end - template..];
    let likeness = |lag: usize| {
        let older = &past[end - template - lag..end - lag];
        let (mut product, mut energy) = (0.0_f32, 1.0_f32);
        for (new, old) in newest.iter().zip(older) {
            let old = f32::from(*old);
            product += f32::from(*new) * old;
            energy += old * old;
        }
        if product > 0.0 { product * product / energy } else { 0.0 }
    };
    let mut best = (longest, 0.0);
    for lag in shortest..=longest {
        let likeness = likeness(lag);
        if likeness > best.1 {
            best = (lag, likeness);
        }
    }
    best.0
}

/// Fades from `old` to `new`, sample by sample, into `out`; all three are of one length.
pub(crate) fn cross_fade(out: &mut [i16], old: impl Fn(usize) -> i16, new: impl Fn(usize) -> i16) {
    let count = out.len() as i32 + 1;
    for (index, sample) in (0..).zip(out) {
        let weight = index + 1;
        let (old, new) = (i32::from(old(index as usize)), i32::from(new(index as usize)));
        *sample = ((old * (count - weight) + new * weight) / count) as i16;
    }
}
