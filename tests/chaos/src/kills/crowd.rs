//! The people of a wave: those who come by themselves, and visitors whom a strike asks for.
//!
//! Must never decide what happens to them: their stories do.

use super::person::{Person, Story};
use super::story::Play;
use crate::ground::Ground;
use anyhow::Result;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rand::Rng;
use rand::rngs::StdRng;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// Those who come by themselves.
const PEOPLE: usize = 24;

/// Lets them come within about this time, and a visitor for each call; returns all when every story is told and nobody can
/// call any more.
pub(super) async fn gather(
    ground: &Ground,
    name: &str,
    within: Duration,
    mut dice: StdRng,
    mut calls: UnboundedReceiver<()>,
) -> Result<Vec<Person>> {
    let mut plays = FuturesUnordered::new();
    for number in 0..PEOPLE {
        let story = Story::of(number, &mut dice);
        plays.push(Play::new(ground, story, &format!("{name}-{number}"), dice.random()).play(within));
    }
    let mut people = Vec::new();
    loop {
        tokio::select! {
            Some(()) = calls.recv() => {
                let visitor = format!("{name}-{}", people.len() + plays.len());
                plays.push(Play::new(ground, Story::Visits, &visitor, dice.random()).play(Duration::ZERO));
            }
            Some(person) = plays.next() => people.push(person?),
            else => return Ok(people),
        }
    }
}
