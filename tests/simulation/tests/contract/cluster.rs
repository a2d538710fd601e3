//! What the operator's port to Kubernetes promises.

use invitation_operator::api::names::{FINALIZER, OWNER_UID_LABEL};
use invitation_operator::api::{
    ClaimKey, InvitationClaimSpec, InviterKind, InviterRef, Owner, Phase, Product, ProjectInvitation,
    ProjectInvitationSpec, ProjectInvitationStatus, RecordedInviter,
};
use invitation_operator::controller::cluster::{Cluster, ClusterError};
use kube::ResourceExt;

/// The port, and what users do beside it.
pub(crate) trait Plane {
    fn port(&self) -> &dyn Cluster;
    async fn create(&self, name: &str, spec: ProjectInvitationSpec);
    async fn delete(&self, name: &str);
    async fn edit(&self, name: &str, edit: impl FnOnce(&mut ProjectInvitation));
    /// Where the objects are.
    fn namespace(&self) -> &str;
}

const FOREIGN: &str = "example.com/theirs";

pub(crate) fn wish() -> ProjectInvitationSpec {
    ProjectInvitationSpec {
        project_id: "5f0000000000000000000001".to_owned(),
        username: "jane@example.com".to_owned(),
        roles: vec!["GROUP_READ_ONLY".to_owned()],
        inviter_ref: InviterRef { kind: InviterKind::Inviter, name: "inviter".to_owned() },
        suspend: false,
        ready_when: Default::default(),
        deletion: Default::default(),
    }
}

fn claim(owner: Option<&str>) -> InvitationClaimSpec {
    let named = |uid: &str| Owner { namespace: "a".to_owned(), name: "x".to_owned(), uid: uid.to_owned() };
    let mut claim: InvitationClaimSpec = serde_json::from_value(serde_json::json!({
        "key": ClaimKey {
            product: Product::Atlas,
            api: "Invites".to_owned(),
            host: "cloud.mongodb.com".to_owned(),
            project_id: wish().project_id,
            username: wish().username,
        },
        "inviterRef": RecordedInviter {
            kind: InviterKind::Inviter,
            namespace: Some("a".to_owned()),
            name: "inviter".to_owned(),
            uid: "u".to_owned(),
        },
    }))
    .unwrap();
    claim.owner = owner.map(named);
    claim
}

fn counted(lost: i32) -> InvitationClaimSpec {
    InvitationClaimSpec { lost_attempts: lost, ..claim(Some("me")) }
}

const CONFLICT: ClusterError = ClusterError::Conflict;

pub(crate) async fn a_claim_is_created_once(side: &impl Plane) {
    let port = side.port();
    assert_eq!(port.claim("c").await, Ok(None));
    let created = port.create_claim("c", &claim(Some("me"))).await.unwrap();
    assert!(created.uid().is_some() && created.resource_version().is_some());
    assert_eq!(created.spec, claim(Some("me")));
    assert_eq!(created.labels().get(OWNER_UID_LABEL).map(String::as_str), Some("me"));
    assert_eq!(port.create_claim("c", &claim(Some("other"))).await, Err(CONFLICT));
    let live = port.claim("c").await.unwrap().unwrap();
    assert_eq!((live.spec, live.metadata.uid), (created.spec, created.metadata.uid));
}

pub(crate) async fn a_claim_is_replaced_only_in_the_version_that_was_seen(side: &impl Plane) {
    let port = side.port();
    let first = port.create_claim("c", &counted(0)).await.unwrap();
    let second = port.replace_claim(&first, &counted(1)).await.unwrap();
    assert_eq!(second.spec, counted(1));
    assert_ne!(second.resource_version(), first.resource_version());
    assert_eq!(port.replace_claim(&first, &counted(2)).await, Err(CONFLICT));
    assert_eq!(port.claim("c").await.unwrap().unwrap().spec, counted(1));
    let same = port.replace_claim(&second, &counted(1)).await.unwrap();
    assert_eq!(same.resource_version(), second.resource_version(), "nothing changed");
    port.delete_claim(&same).await.unwrap();
    assert_eq!(port.replace_claim(&same, &counted(3)).await.unwrap_err(), ClusterError::Gone);
}

pub(crate) async fn a_claim_is_deleted_only_in_the_version_that_was_seen(side: &impl Plane) {
    let port = side.port();
    let first = port.create_claim("c", &counted(0)).await.unwrap();
    let second = port.replace_claim(&first, &counted(1)).await.unwrap();
    assert_eq!(port.delete_claim(&first).await, Err(CONFLICT));
    assert_eq!(port.delete_claim(&second).await, Ok(()));
    assert_eq!(port.delete_claim(&second).await, Ok(()), "gone is gone");
    assert_eq!(port.claim("c").await, Ok(None));
}

pub(crate) async fn a_claim_made_anew_is_another(side: &impl Plane) {
    let port = side.port();
    let old = port.create_claim("c", &counted(0)).await.unwrap();
    port.delete_claim(&old).await.unwrap();
    let new = port.create_claim("c", &counted(0)).await.unwrap();
    assert_ne!(old.uid(), new.uid());
    assert_eq!(port.replace_claim(&old, &counted(1)).await, Err(CONFLICT));
    assert_eq!(port.delete_claim(&old).await, Err(CONFLICT));
    assert_eq!(port.claim("c").await.unwrap().unwrap().spec, counted(0));
}

pub(crate) async fn claims_are_listed_by_their_owner(side: &impl Plane) {
    let port = side.port();
    let names = async |owner: &str| {
        let claims = port.claims_of(owner).await.unwrap();
        claims.iter().map(ResourceExt::name_any).collect::<Vec<_>>()
    };
    let first = port.create_claim("c", &claim(Some("me"))).await.unwrap();
    port.create_claim("d", &claim(Some("other"))).await.unwrap();
    assert_eq!(names("me").await, ["c"]);
    // Many who ask at a time may share answers, and each gets its own.
    let owners = ["me", "other", "nobody"].repeat(50);
    let answers = futures::future::join_all(owners.iter().map(|owner| names(owner))).await;
    for (owner, found) in owners.iter().zip(answers) {
        let expected: &[&str] = match *owner {
            "me" => &["c"],
            "other" => &["d"],
            _ => &[],
        };
        assert_eq!(found, expected, "{owner}");
    }
    let handed = port.replace_claim(&first, &claim(Some("other"))).await.unwrap();
    assert_eq!((names("me").await, names("other").await), (vec![], vec!["c".to_owned(), "d".to_owned()]));
    port.replace_claim(&handed, &claim(None)).await.unwrap();
    assert_eq!(names("other").await, ["d"]);
}

async fn object(side: &impl Plane, name: &str) -> ProjectInvitation {
    side.create(name, wish()).await;
    live(side, name).await.unwrap()
}

async fn live(side: &impl Plane, name: &str) -> Option<ProjectInvitation> {
    side.port().invitation(side.namespace(), name).await.unwrap()
}

async fn anew(side: &impl Plane, name: &str) -> ProjectInvitation {
    side.delete(name).await;
    assert_eq!(live(side, name).await, None);
    object(side, name).await
}

pub(crate) async fn the_finalizer_is_added_to_just_this_object(side: &impl Plane) {
    let port = side.port();
    let old = object(side, "x").await;
    let held = port.add_finalizer(&old).await.unwrap();
    assert_eq!(held.finalizers(), [FINALIZER]);
    let again = port.add_finalizer(&held).await.unwrap();
    assert_eq!(again.resource_version(), held.resource_version());
    side.edit("x", |object| object.finalizers_mut().push(FOREIGN.to_owned())).await;
    assert_eq!(port.add_finalizer(&old).await.unwrap().finalizers().len(), 2, "theirs stays");
    side.edit("x", |object| object.finalizers_mut().clear()).await;
    let new = anew(side, "x").await;
    assert_eq!(port.add_finalizer(&old).await, Err(CONFLICT));
    assert_eq!(live(side, "x").await.unwrap().resource_version(), new.resource_version());
    side.delete("x").await;
    assert_eq!(port.add_finalizer(&old).await, Err(CONFLICT), "an apply with a uid creates nothing");
    assert_eq!(live(side, "x").await, None);
}

pub(crate) async fn the_finalizer_is_removed_from_just_this_object(side: &impl Plane) {
    let port = side.port();
    let bare = object(side, "x").await;
    assert_eq!(port.remove_finalizer(&bare).await, Ok(()), "there is none");
    let held = port.add_finalizer(&bare).await.unwrap();
    port.remove_finalizer(&held).await.unwrap();
    assert!(live(side, "x").await.unwrap().finalizers().is_empty());
    assert_eq!(port.remove_finalizer(&held).await, Err(CONFLICT), "it is not where it was");
    let new = anew(side, "x").await;
    let new = port.add_finalizer(&new).await.unwrap();
    assert_eq!(port.remove_finalizer(&held).await, Err(CONFLICT), "another object");
    assert_eq!(live(side, "x").await.unwrap().finalizers(), [FINALIZER]);
    port.remove_finalizer(&new).await.unwrap();
    side.delete("x").await;
    assert_eq!(port.remove_finalizer(&new).await, Ok(()), "gone is gone");
}

pub(crate) async fn a_deletion_waits_for_finalizers(side: &impl Plane) {
    let port = side.port();
    let bare = object(side, "x").await;
    let held = port.add_finalizer(&bare).await.unwrap();
    side.edit("x", |object| object.finalizers_mut().push(FOREIGN.to_owned())).await;
    side.delete("x").await;
    let deleting = live(side, "x").await.unwrap();
    assert!(deleting.metadata.deletion_timestamp.is_some());
    assert_eq!(deleting.metadata.generation, held.metadata.generation.map(|generation| generation + 1));
    port.remove_finalizer(&deleting).await.unwrap();
    assert_eq!(live(side, "x").await.unwrap().finalizers(), [FOREIGN]);
    side.edit("x", |object| object.finalizers_mut().clear()).await;
    assert_eq!(live(side, "x").await, None);
}

pub(crate) async fn a_deleted_object_takes_no_finalizer(side: &impl Plane) {
    let port = side.port();
    let bare = object(side, "x").await;
    side.edit("x", |object| object.finalizers_mut().push(FOREIGN.to_owned())).await;
    side.delete("x").await;
    assert_eq!(port.add_finalizer(&bare).await, Err(CONFLICT));
    side.edit("x", |object| object.finalizers_mut().clear()).await;
}

pub(crate) async fn the_status_is_written_to_just_this_object(side: &impl Plane) {
    let port = side.port();
    let old = object(side, "x").await;
    let status = ProjectInvitationStatus { phase: Some(Phase::Pending), ..ProjectInvitationStatus::default() };
    let written = port.write_status(&old, &status).await.unwrap();
    assert_eq!((written.status.as_ref(), &written.spec), (Some(&status), &old.spec));
    assert_eq!(written.metadata.generation, old.metadata.generation);
    assert_ne!(written.resource_version(), old.resource_version());
    let same = port.write_status(&old, &status).await.unwrap();
    assert_eq!(same.resource_version(), written.resource_version(), "nothing changed");
    let newer = ProjectInvitationStatus { phase: Some(Phase::Invited), ..status };
    assert!(port.write_status(&old, &newer).await.is_ok(), "no version is asked for");
    anew(side, "x").await;
    assert_eq!(port.write_status(&old, &newer).await, Err(CONFLICT));
    let fresh = ProjectInvitationStatus { observed_generation: Some(-1), ..ProjectInvitationStatus::default() };
    assert_eq!(live(side, "x").await.unwrap().status, Some(fresh), "as the schema has it");
    side.delete("x").await;
    assert_eq!(port.write_status(&old, &newer).await, Err(ClusterError::Gone));
}

pub(crate) async fn only_the_spec_counts_generations(side: &impl Plane) {
    let port = side.port();
    let first = object(side, "x").await;
    assert_eq!(first.metadata.generation, Some(1));
    let held = port.add_finalizer(&first).await.unwrap();
    side.edit("x", |object| {
        object.annotations_mut().insert("invitation-operator.io/resend".to_owned(), "1".to_owned());
    })
    .await;
    let told = live(side, "x").await.unwrap();
    assert_eq!((held.metadata.generation, told.metadata.generation), (Some(1), Some(1)));
    assert_ne!(told.resource_version(), held.resource_version());
    side.edit("x", |object| object.spec.suspend = true).await;
    assert_eq!(live(side, "x").await.unwrap().metadata.generation, Some(2));
}
