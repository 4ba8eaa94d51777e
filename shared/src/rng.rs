//! A seeded random number generator: SplitMix64, which gives the same numbers on every machine and in every version.

/// A generator of random numbers.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Creates a generator; the same seed gives the same numbers.
    #[must_use]
    pub fn new(seed: i64) -> Self {
        let mut rng = Self(seed.cast_unsigned());
        rng.next();
        rng
    }

    /// Creates the generator of one of many streams that share a seed.
    #[must_use]
    pub fn stream(seed: i64, number: u64) -> Self {
        // The number is mixed in behind the first output: generators with neighbouring states would share numbers.
        let first = Self::new(seed).next() ^ number.wrapping_mul(0xd134_2543_de82_ef95);
        Self::new(Self(first).next().cast_signed())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a seed for noise.
    #[allow(clippy::cast_possible_truncation)]
    pub fn seed(&mut self) -> u32 {
        self.next() as u32
    }

    /// Returns a number within `0..1`, one of 2^53.
    #[allow(clippy::cast_precision_loss)]
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Returns a number in `from..to`.
    #[allow(clippy::cast_precision_loss)]
    pub fn within(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * ((self.next() >> 40) as f32 / (1u64 << 24) as f32)
    }

    /// Returns a number below `limit`, each with the same chance; 0 where `limit` is.
    #[allow(clippy::cast_possible_truncation)]
    pub fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    /// Returns one of them.
    #[allow(clippy::cast_possible_truncation)]
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[(self.next() % of.len() as u64) as usize]
    }
}
