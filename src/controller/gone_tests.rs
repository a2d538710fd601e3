//! What stays of an object that is gone: nothing, whatever was under way.

#![allow(clippy::unwrap_used)]

use super::mail_tests::Api;
use super::passes::Passes;
use super::staging::{jane, passes};
use super::testing::Server;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use std::sync::Arc;
use std::time::Duration;

/// Its end is newer than everything that was written.
fn end(passes: &Passes) {
    let mut last = jane();
    last.metadata.resource_version = Some("1000".to_owned());
    for told in passes.objects.follow(Event::Delete(last)) {
        passes.watched(&told);
    }
}

#[tokio::test(start_paused = true)]
async fn its_time_to_come_back_is_given_up() {
    let server = Arc::new(Server::silent_for(Duration::ZERO).with_object(jane()));
    let (passes, mut streams) = passes(&server, &[jane()], &[], Api::new(true));
    let reference = ObjectRef::from_obj(&jane());
    assert!(passes.pass(&reference).await.again_in.is_some(), "it is in the agenda, for a time to come");
    while streams.invitations.try_recv().is_ok() {}
    end(&passes);
    assert_eq!(streams.invitations.try_recv().ok(), Some(reference), "a turn of its own takes it out");
    assert!(!passes.memory.knows(&jane().uid().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_goes_on_remembers_nothing() {
    let server = Arc::new(Server::silent_for(Duration::ZERO).with_object(jane()).slow(Duration::from_secs(1)));
    let (passes, _streams) = passes(&server, &[jane()], &[], Api::new(true));
    let reference = ObjectRef::from_obj(&jane());
    let ends = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(passes.memory.knows(&jane().uid().unwrap()));
        end(&passes);
    };
    tokio::join!(passes.pass(&reference), ends);
    assert!(!passes.memory.knows(&jane().uid().unwrap()));
}
