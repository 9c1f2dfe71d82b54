//! Chance, the same for the same seed.

use std::f64::consts::TAU;

/// Draws numbers.
#[derive(Debug)]
pub(crate) struct Dice(fastrand::Rng);

impl Dice {
    /// Draws that nobody else's disturb: each part of the simulation has dice of its own.
    pub(crate) fn of(seed: u64, part: &str) -> Self {
        let hash = part
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hash))
    }

    /// Between 0 and 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.f64()
    }

    /// Between two numbers, each order of magnitude as likely.
    pub(crate) fn between(&mut self, least: f64, most: f64) -> f64 {
        least * (most / least).powf(self.unit())
    }

    /// One of several.
    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.0.usize(..all.len())]
    }

    /// Normal, mean 0, deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }

    /// How many events happen where so many are expected.
    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
        if mean > 40.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u32;
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// How many of `count` happen.
    pub(crate) fn binomial(&mut self, count: u32, share: f64) -> u32 {
        (0..count).filter(|_| self.unit() < share).count() as u32
    }
}

/// Noise that remembers: mean 0, this deviation, and so many minutes until most of it is forgotten.
#[derive(Debug)]
pub(crate) struct Wander {
    value: f64,
    deviation: f64,
    keep: f64,
}

impl Wander {
    /// Noise that begins in the middle.
    pub(crate) fn new(deviation: f64, minutes: f64) -> Self {
        Self { value: 0.0, deviation, keep: (-1.0 / minutes).exp() }
    }

    /// The next minute's.
    pub(crate) fn next(&mut self, dice: &mut Dice) -> f64 {
        let fresh = (1.0 - self.keep * self.keep).sqrt() * self.deviation * dice.normal();
        self.value = self.value * self.keep + fresh;
        self.value
    }
}
