//! Texts that are nearly the same: MinHash and locality-sensitive hashing find who might be, the exact Jaccard index of their shingles decides.
//!
//! Broder (1997), On the resemblance and containment of documents; Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, chapter 3.

use std::hash::Hasher;

use rustc_hash::{FxHashSet, FxHasher};

use crate::language::words;

/// Words of a shingle.
const SHINGLE_WORDS: usize = 4;

/// Texts with fewer shingles are too short to be called the same.
const LEAST_SHINGLES: usize = 40;

/// Two texts with so much in common, in per cent, are nearly the same.
pub const ALIKE_PERCENT: u32 = 80;

/// Bands of a signature, and rows of a band: two texts that are alike by 80 % share a band with a likelihood of 0.9996, by 30 % of 0.05.
const BANDS: usize = 20;
const ROWS: usize = 5;

/// The least hashes of a text's shingles under as many orders as there are bands and rows.
pub type Signature = Box<[u32; BANDS * ROWS]>;

/// Of how many shingles one is kept to count in how many texts it stands.
const SAMPLED: u64 = 4;

/// A part of a text's shingles, always the same ones, in order: those by which it is counted what many texts share.
pub type Sample = Box<[u32]>;

/// The shingles of a text that are counted.
pub fn sample(shingles: &FxHashSet<u64>) -> Sample {
    let mut kept: Vec<u32> = shingles
        .iter()
        .filter(|shingle| **shingle % SAMPLED == 0)
        .map(|shingle| (*shingle >> 32) as u32)
        .collect();
    kept.sort_unstable();
    kept.into()
}

/// How much two texts have in common of what is not `common` to many, in whole per cent, rounded down: two pages made after one pattern share
/// the pattern. `None`: neither has anything else.
pub fn percent_alike_but(one: &[u32], other: &[u32], common: &FxHashSet<u32>) -> Option<u32> {
    let own = |sample: &[u32]| sample.iter().filter(|shingle| !common.contains(shingle)).count();
    let both = one
        .iter()
        .filter(|shingle| !common.contains(shingle) && other.binary_search(shingle).is_ok())
        .count();
    let all = own(one) + own(other) - both;
    u32::try_from((both * 100).checked_div(all)?).ok()
}

/// The shingles of texts, each once, as numbers; empty when there are too few to tell.
pub fn shingles<'t>(texts: impl IntoIterator<Item = &'t str>) -> FxHashSet<u64> {
    let mut last: [u64; SHINGLE_WORDS] = [0; SHINGLE_WORDS];
    let mut count = 0_usize;
    let mut found = FxHashSet::default();
    for text in texts {
        words::for_each_word(text, |_, form| {
            let mut hasher = FxHasher::default();
            hasher.write(form.as_bytes());
            last.rotate_left(1);
            last[SHINGLE_WORDS - 1] = hasher.finish();
            count += 1;
            if count >= SHINGLE_WORDS {
                let mut hasher = FxHasher::default();
                last.iter().for_each(|word| hasher.write_u64(*word));
                found.insert(mixed(hasher.finish()));
            }
        });
    }
    if found.len() < LEAST_SHINGLES {
        found.clear();
    }
    found
}

/// The signature of a text by its shingles; `None` when there are none.
pub fn signature(shingles: &FxHashSet<u64>) -> Option<Signature> {
    if shingles.is_empty() {
        return None;
    }
    let mut least: Signature = Box::new([u32::MAX; BANDS * ROWS]);
    #[expect(clippy::iter_over_hash_type, reason = "the least of all is the same in any order")]
    for shingle in shingles {
        // Two halves of one good hash make as many hashes as are wanted (Kirsch and Mitzenmacher, 2006).
        #[expect(clippy::cast_possible_truncation, reason = "the halves are what is asked for")]
        let (mut hash, step) = (*shingle as u32, (*shingle >> 32) as u32 | 1);
        for slot in least.iter_mut() {
            // Sums alone keep the order of neighbours: each is mixed once more.
            let mut order = hash ^ (hash >> 16);
            order = order.wrapping_mul(0x7feb_352d);
            order ^= order >> 15;
            *slot = (*slot).min(order);
            hash = hash.wrapping_add(step);
        }
    }
    Some(least)
}

/// The numbers under which a signature is kept: who shares one with another might be alike.
pub fn bands(signature: &Signature) -> impl Iterator<Item = u64> {
    signature.chunks(ROWS).enumerate().map(|(band, rows)| {
        let mut hasher = FxHasher::default();
        hasher.write_usize(band);
        rows.iter().for_each(|row| hasher.write_u32(*row));
        mixed(hasher.finish())
    })
}

/// How much two texts have in common (Jaccard index of their shingles), in whole per cent, rounded down.
pub fn percent_alike(one: &FxHashSet<u64>, other: &FxHashSet<u64>) -> u32 {
    let common = one.iter().filter(|shingle| other.contains(shingle)).count();
    let all = one.len() + other.len() - common;
    u32::try_from((common * 100).checked_div(all).unwrap_or(0)).unwrap_or(0)
}

/// A hash whose bits all depend on all bits (the finaliser of SplitMix64).
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(from: usize, to: usize) -> String {
        (from..to).map(|n| format!("слово{} ", letters(n))).collect()
    }

    /// Digits would part the words.
    fn letters(number: usize) -> String {
        number.to_string().bytes().map(|b| char::from(b - b'0' + b'a')).collect()
    }

    fn share_band(one: &FxHashSet<u64>, other: &FxHashSet<u64>) -> bool {
        let kept: Vec<u64> = bands(&signature(one).unwrap()).collect();
        bands(&signature(other).unwrap()).any(|band| kept.contains(&band))
    }

    #[test]
    fn what_is_nearly_the_same_is_found_and_measured() {
        let (one, other) = (shingles([text(0, 400).as_str()]), shingles([text(20, 400).as_str()]));
        assert_eq!(percent_alike(&one, &other), 94);
        assert!(share_band(&one, &other));
        assert_eq!(percent_alike(&one, &one), 100);
        let far = shingles([text(1000, 1400).as_str()]);
        assert_eq!(percent_alike(&one, &far), 0);
        assert!(!share_band(&one, &far));
    }

    #[test]
    fn the_signature_estimates_the_likeness() {
        let (one, other) = (shingles([text(0, 1000).as_str()]), shingles([text(250, 1250).as_str()]));
        let (a, b) = (signature(&one).unwrap(), signature(&other).unwrap());
        let same = a.iter().zip(b.iter()).filter(|(a, b)| a == b).count();
        // 60 % exactly; a hundred tries miss it by 15 in one of four hundred.
        assert!((45..=75).contains(&same), "{same} of 100, {} %", percent_alike(&one, &other));
    }

    #[test]
    fn what_many_share_is_left_out() {
        let pattern = text(0, 300);
        let pages: Vec<Sample> = (0..3)
            .map(|n| sample(&shingles([format!("{pattern} {}", text(1000 * n, 1000 * n + 60)).as_str()])))
            .collect();
        let common: FxHashSet<u32> = sample(&shingles([pattern.as_str()])).iter().copied().collect();
        assert!(common.len() > 40 && pages[0].len() > common.len());
        assert!(percent_alike_but(&pages[1], &pages[2], &FxHashSet::default()).unwrap() > 60);
        assert!(percent_alike_but(&pages[1], &pages[2], &common).unwrap() < 10);
        assert_eq!(percent_alike_but(&pages[1], &pages[1], &common), Some(100));
        let all: Vec<u32> = common.iter().copied().collect();
        assert_eq!(percent_alike_but(&all, &[], &common), None);
    }

    #[test]
    fn short_texts_are_not_compared() {
        assert!(shingles([text(0, 40).as_str()]).is_empty());
        assert!(signature(&FxHashSet::default()).is_none());
    }
}
