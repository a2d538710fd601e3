//! When a list that comes in pages is complete, whatever a server says about it.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::remote::{Roles, Username};

#[derive(Debug, PartialEq)]
enum End {
    More,
    Complete,
    Unreliable,
}

fn page(people: &[&str], total: Option<u64>, has_next: Option<bool>) -> Page {
    let member =
        |name: &str| Member { user_id: None, username: Username::new(name), email_address: None, roles: Roles::new() };
    Page { entries: people.iter().map(|name| ((*name).to_owned(), Some(member(name)))).collect(), total, has_next }
}

fn read(pages: Vec<Page>) -> (End, usize) {
    let mut reading = Reading::default();
    let mut end = End::More;
    for page in pages {
        assert_eq!(end, End::More, "a page was taken after the end");
        end = match reading.take(page) {
            Progress::More => End::More,
            Progress::Complete => End::Complete,
            Progress::Unreliable(_) => End::Unreliable,
        };
    }
    (end, reading.members.len())
}

#[test]
fn a_count_decides_where_there_is_one() {
    assert_eq!(read(vec![page(&["a"], Some(1), None)]), (End::Complete, 1));
    assert_eq!(read(vec![page(&[], Some(0), None)]), (End::Complete, 0));
    assert_eq!(read(vec![page(&["a"], Some(2), Some(false))]), (End::More, 1));
    assert_eq!(read(vec![page(&["a"], Some(2), None), page(&["b"], Some(2), None)]), (End::Complete, 2));
}

#[test]
fn a_list_that_ends_before_its_count_is_not_complete() {
    assert_eq!(read(vec![page(&[], Some(3), None)]).0, End::Unreliable);
    assert_eq!(read(vec![page(&["a"], Some(3), None), page(&[], Some(3), None)]).0, End::Unreliable);
}

#[test]
fn links_decide_where_there_is_no_count() {
    assert_eq!(read(vec![page(&["a"], None, Some(false))]), (End::Complete, 1));
    assert_eq!(read(vec![page(&["a"], None, Some(true)), page(&["b"], None, Some(false))]), (End::Complete, 2));
    assert_eq!(read(vec![page(&["a"], None, Some(true)), page(&[], None, Some(true))]).0, End::Unreliable);
}

#[test]
fn an_empty_page_decides_where_there_is_neither() {
    assert_eq!(read(vec![page(&["a"], None, None)]), (End::More, 1));
    assert_eq!(read(vec![page(&["a"], None, None), page(&[], None, None)]), (End::Complete, 1));
    assert_eq!(read(vec![page(&[], None, None)]), (End::Complete, 0));
}

#[test]
fn a_count_that_a_next_link_contradicts_is_looked_into() {
    assert_eq!(read(vec![page(&["a"], Some(1), Some(true))]).0, End::More);
    assert_eq!(read(vec![page(&["a"], Some(1), Some(true)), page(&[], Some(1), None)]), (End::Complete, 1));
    assert_eq!(read(vec![page(&["a"], Some(1), Some(true)), page(&[], Some(1), Some(true))]), (End::Complete, 1));
}

#[test]
fn a_list_that_changed_or_repeats_itself_is_not_relied_on() {
    assert_eq!(read(vec![page(&["a"], Some(2), None), page(&["b"], Some(3), None)]).0, End::Unreliable);
    assert_eq!(read(vec![page(&["a"], Some(2), None), page(&["a"], Some(2), None)]).0, End::Unreliable);
    assert_eq!(read(vec![page(&["a"], None, None), page(&["a"], None, None)]).0, End::Unreliable);
    assert_eq!(read(vec![page(&["a"], Some(3), None), page(&["b"], None, None)]).0, End::Unreliable);
}
