//! Randomness as an effect: the only place of a pass that draws.

/// Where chance comes from.
pub trait Chance: Send + Sync {
    /// Evenly from 0 to 1, for spreading waits.
    fn fraction(&self) -> f64;
    /// A number that nobody else draws, for naming an attempt.
    fn unique(&self) -> u128;
}

/// The machine's generator.
#[derive(Debug)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn fraction(&self) -> f64 {
        rand::random()
    }

    fn unique(&self) -> u128 {
        rand::random()
    }
}
