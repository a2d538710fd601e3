//! The members of a project: all pages, or an error.
//!
//! Owns when a list that comes in pages is complete. Must never return a list that may be short: a person missing from it
//! may be taken for one who left. Must end whatever the server says.

use super::endpoint::Endpoint;
use super::http_api::{HttpApi, unreadable};
use super::limits::Tally;
use super::repeatable::Repeatable;
use super::transport::{LIST_LIMIT, unavailable};
use super::wire::member::{Page, read_page};
use crate::domain::failure::Failure;
use crate::domain::remote::{Member, ObjectId};
use std::collections::HashSet;

/// More pages than any project has: 500 people may be in an Atlas project, and pages hold 500.
const MOST_PAGES: u32 = 400;

/// Reads page after page; `itemsPerPage` is asked for but not counted on.
///
/// # Errors
/// Any page's failure, and a list that may not be complete.
pub(super) async fn members(api: &HttpApi, tally: &mut Tally, project: &ObjectId) -> Result<Vec<Member>, Failure> {
    let deadline = api.deadline();
    let mut reading = Reading::default();
    let mut room = LIST_LIMIT;
    for number in 1..=MOST_PAGES {
        if number > 1 {
            api.turn_page(tally, project).await?;
        }
        let call = Repeatable { url: api.routes.members(project, number), content: None, limit: room };
        let answer = api.repeatable(tally, call, deadline).await?;
        if !answer.status.is_success() {
            return Err(api.refusal(Endpoint::ListMembers, &answer));
        }
        let body = answer.whole()?;
        room = room.saturating_sub(body.len());
        let page = read_page(api.routes.product(), project, body).map_err(unreadable)?;
        match reading.take(page) {
            Progress::More => {}
            Progress::Complete => return Ok(reading.members),
            Progress::Unreliable(why) => return Err(unavailable(why)),
        }
    }
    Err(unavailable("the list of members has more pages than any project"))
}

enum Progress {
    More,
    Complete,
    Unreliable(&'static str),
}

#[derive(Default)]
struct Reading {
    members: Vec<Member>,
    seen: HashSet<String>,
    total: Option<u64>,
}

impl Reading {
    /// Takes one page: a count says how much there is, else links say whether there is more, else an empty page ends it.
    fn take(&mut self, page: Page) -> Progress {
        let first = self.seen.is_empty();
        if !first && page.total != self.total {
            return Progress::Unreliable("the list of members changed while it was read");
        }
        self.total = page.total;
        let is_empty = page.entries.is_empty();
        for (key, member) in page.entries {
            if !self.seen.insert(key) {
                return Progress::Unreliable("the list of members repeats itself from page to page");
            }
            self.members.extend(member);
        }
        let enough = self.total.map(|total| u64::try_from(self.seen.len()).is_ok_and(|seen| seen >= total));
        match (enough, page.has_next, is_empty) {
            (Some(false), _, true) => Progress::Unreliable("the list of members ends before its own count"),
            (None, Some(true), true) => Progress::Unreliable("the list of members ends where its links go on"),
            (Some(false), _, false) | (_, Some(true), false) | (None, None, false) => Progress::More,
            (Some(true), Some(true), true)
            | (Some(true), Some(false) | None, _)
            | (None, Some(false), _)
            | (None, None, true) => Progress::Complete,
        }
    }
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
