//! Lots that follow from a call's seed: a replay draws the same.

/// The lot of that number, below `of`.
///
/// SplitMix64 (Steele, Lea and Flood 2014): a counter of odd steps, well mixed.
pub fn lot(seed: u64, number: u64, of: u32) -> u32 {
    let step = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut mixed = seed.wrapping_add(step);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    u32::try_from((mixed ^ (mixed >> 31)) % u64::from(of)).unwrap_or(0)
}
