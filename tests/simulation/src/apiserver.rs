//! An API server in process: versions, uids, generations, finalizers, and a log of changes for watches.
//!
//! Answers as the real one does through the operator's port; the contract suite holds it to that. Must never know a rule
//! of the operator.

use invitation_operator::api::names::{FINALIZER, OWNER_UID_LABEL};
use invitation_operator::api::{
    InvitationClaim, InvitationClaimSpec, ProjectInvitation, ProjectInvitationSpec, ProjectInvitationStatus,
};
use invitation_operator::controller::cluster::{ClusterError, claim_object, label_owner};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};
use std::collections::BTreeMap;

/// Namespace and name.
pub type Key = (String, String);

/// What a write came to.
pub type Answer<T> = Result<T, ClusterError>;

/// All objects, and everything that happened to them.
#[derive(Default)]
pub struct ApiServer {
    version: u64,
    uids: u64,
    objects: BTreeMap<Key, ProjectInvitation>,
    claims: BTreeMap<String, InvitationClaim>,
    object_events: Vec<Event<ProjectInvitation>>,
    claim_events: Vec<Event<InvitationClaim>>,
    /// A seeded bug: writes and reads do not test the uid, and claims are replaced whatever their version.
    pub careless: Careless,
}

/// Tests that a careless client would leave out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Careless {
    /// No uid is tested.
    pub uids: bool,
    /// No resourceVersion is tested.
    pub versions: bool,
    /// Creating what exists replaces it.
    pub creation: bool,
}

impl ApiServer {
    /// Everything that happened to objects, in order.
    #[must_use]
    pub fn object_events(&self) -> &[Event<ProjectInvitation>] {
        &self.object_events
    }

    /// Everything that happened to claims, in order.
    #[must_use]
    pub fn claim_events(&self) -> &[Event<InvitationClaim>] {
        &self.claim_events
    }

    /// How much has happened.
    #[must_use]
    pub fn events(&self) -> usize {
        self.object_events.len() + self.claim_events.len()
    }

    /// All objects.
    pub fn objects(&self) -> impl Iterator<Item = &ProjectInvitation> {
        self.objects.values()
    }

    /// All claims.
    pub fn claims(&self) -> impl Iterator<Item = &InvitationClaim> {
        self.claims.values()
    }

    fn next_version(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    fn birth(&mut self, object: &mut impl Resource<DynamicType = ()>, now: Timestamp) {
        self.uids += 1;
        let version = self.next_version();
        let meta = object.meta_mut();
        meta.uid = Some(format!("uid-{}", self.uids));
        meta.resource_version = Some(version);
        meta.generation = Some(1);
        meta.creation_timestamp = Some(whole(now));
    }

    // Objects.

    /// Live read.
    #[must_use]
    pub fn object(&self, namespace: &str, name: &str) -> Option<&ProjectInvitation> {
        self.objects.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// A user creates an object; `false` if there is one of that name.
    pub fn create_object(
        &mut self,
        namespace: &str,
        name: &str,
        spec: ProjectInvitationSpec,
        annotations: BTreeMap<String, String>,
        now: Timestamp,
    ) -> bool {
        if self.object(namespace, name).is_some() {
            return false;
        }
        let mut object = ProjectInvitation::new(name, spec);
        object.metadata.namespace = Some(namespace.to_owned());
        object.metadata.annotations = Some(annotations).filter(|annotations| !annotations.is_empty());
        // As the schema has it.
        object.status =
            Some(ProjectInvitationStatus { observed_generation: Some(-1), ..ProjectInvitationStatus::default() });
        self.birth(&mut object, now);
        self.put_object(object);
        true
    }

    fn put_object(&mut self, object: ProjectInvitation) {
        self.object_events.push(Event::Apply(object.clone()));
        self.objects.insert((object.namespace().unwrap_or_default(), object.name_any()), object);
    }

    fn drop_object(&mut self, mut object: ProjectInvitation) {
        self.objects.remove(&(object.namespace().unwrap_or_default(), object.name_any()));
        object.metadata.resource_version = Some(self.next_version());
        self.object_events.push(Event::Delete(object));
    }

    /// A user changes an object; nothing happens if there is none.
    pub fn edit_object(&mut self, namespace: &str, name: &str, edit: impl FnOnce(&mut ProjectInvitation)) -> bool {
        let Some(before) = self.object(namespace, name).cloned() else { return false };
        let mut after = before.clone();
        edit(&mut after);
        if after == before {
            return true;
        }
        if after.spec != before.spec {
            after.metadata.generation = before.metadata.generation.map(|generation| generation + 1);
        }
        after.metadata.resource_version = Some(self.next_version());
        if after.metadata.deletion_timestamp.is_some() && after.finalizers().is_empty() {
            self.drop_object(after);
        } else {
            self.put_object(after);
        }
        true
    }

    /// A user deletes an object: at once without finalizers, else it is marked. Returns whether there was one.
    pub fn delete_object(&mut self, namespace: &str, name: &str, now: Timestamp) -> bool {
        let Some(object) = self.object(namespace, name).cloned() else { return false };
        if object.finalizers().is_empty() {
            self.drop_object(object);
        } else if object.metadata.deletion_timestamp.is_none() {
            let mut marked = object;
            marked.metadata.deletion_timestamp = Some(whole(now));
            marked.metadata.deletion_grace_period_seconds = Some(0);
            marked.metadata.generation = marked.metadata.generation.map(|generation| generation + 1);
            marked.metadata.resource_version = Some(self.next_version());
            self.put_object(marked);
        }
        true
    }

    /// The second half of a deletion that was decided on when the object had no finalizers: the real API server deletes
    /// even if one has been added since.
    pub fn finish_deletion(&mut self, namespace: &str, name: &str, uid: &str) {
        if let Some(object) = self.object(namespace, name).cloned()
            && object.uid().as_deref() == Some(uid)
        {
            self.drop_object(object);
        }
    }

    fn same_object(&self, object: &ProjectInvitation) -> Answer<ProjectInvitation> {
        let live =
            self.object(&object.namespace().unwrap_or_default(), &object.name_any()).ok_or(ClusterError::Gone)?;
        if live.uid() == object.uid() || self.careless.uids { Ok(live.clone()) } else { Err(ClusterError::Conflict) }
    }

    /// Applies the operator's finalizer.
    ///
    /// # Errors
    /// As the real one: an apply with a uid creates nothing, and a deleted object takes no finalizer.
    pub fn add_finalizer(&mut self, object: &ProjectInvitation) -> Answer<ProjectInvitation> {
        let mut live = self.same_object(object).map_err(|_| ClusterError::Conflict)?;
        if live.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
            return Ok(live);
        }
        if live.metadata.deletion_timestamp.is_some() {
            return Err(ClusterError::Conflict);
        }
        live.finalizers_mut().push(FINALIZER.to_owned());
        live.metadata.resource_version = Some(self.next_version());
        self.put_object(live.clone());
        Ok(live)
    }

    /// Removes the operator's finalizer from where `object` has it.
    ///
    /// # Errors
    /// A failed test of uid or place is a conflict.
    pub fn remove_finalizer(&mut self, object: &ProjectInvitation) -> Answer<()> {
        let Some(index) = object.finalizers().iter().position(|finalizer| finalizer == FINALIZER) else {
            return Ok(());
        };
        let mut live = match self.same_object(object) {
            Err(ClusterError::Gone) => return Ok(()),
            live => live?,
        };
        if live.finalizers().get(index).map(String::as_str) != Some(FINALIZER) {
            return Err(ClusterError::Conflict);
        }
        live.finalizers_mut().remove(index);
        live.metadata.resource_version = Some(self.next_version());
        if live.metadata.deletion_timestamp.is_some() && live.finalizers().is_empty() {
            self.drop_object(live);
        } else {
            self.put_object(live);
        }
        Ok(())
    }

    /// Replaces the status.
    ///
    /// # Errors
    /// Gone, or another uid.
    pub fn write_status(
        &mut self,
        object: &ProjectInvitation,
        status: &ProjectInvitationStatus,
    ) -> Answer<ProjectInvitation> {
        let mut live = self.same_object(object)?;
        if live.status.as_ref() == Some(status) {
            return Ok(live);
        }
        live.status = Some(status.clone());
        live.metadata.resource_version = Some(self.next_version());
        self.put_object(live.clone());
        Ok(live)
    }

    // Claims.

    /// Live read.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&InvitationClaim> {
        self.claims.get(name)
    }

    /// Live list by owner.
    #[must_use]
    pub fn claims_of(&self, owner_uid: &str) -> Vec<InvitationClaim> {
        let owned =
            |claim: &&InvitationClaim| claim.labels().get(OWNER_UID_LABEL).map(String::as_str) == Some(owner_uid);
        self.claims.values().filter(owned).cloned().collect()
    }

    /// Creates a claim.
    ///
    /// # Errors
    /// It exists.
    pub fn create_claim(
        &mut self,
        name: &str,
        spec: &InvitationClaimSpec,
        namespace: &str,
        now: Timestamp,
    ) -> Answer<InvitationClaim> {
        if self.claims.contains_key(name) && !self.careless.creation {
            return Err(ClusterError::Conflict);
        }
        let mut claim = claim_object(name, spec);
        claim.metadata.namespace = Some(namespace.to_owned());
        self.birth(&mut claim, now);
        self.put_claim(claim.clone());
        Ok(claim)
    }

    fn put_claim(&mut self, claim: InvitationClaim) {
        self.claim_events.push(Event::Apply(claim.clone()));
        self.claims.insert(claim.name_any(), claim);
    }

    fn same_claim(&self, seen: &InvitationClaim) -> Answer<InvitationClaim> {
        let live = self.claims.get(&seen.name_any()).ok_or(ClusterError::Gone)?;
        let same = live.uid() == seen.uid() && live.resource_version() == seen.resource_version();
        if same || self.careless.versions { Ok(live.clone()) } else { Err(ClusterError::Conflict) }
    }

    /// Replaces a claim of just this version.
    ///
    /// # Errors
    /// Gone, or another version.
    pub fn replace_claim(&mut self, seen: &InvitationClaim, spec: &InvitationClaimSpec) -> Answer<InvitationClaim> {
        let mut live = self.same_claim(seen)?;
        if live.spec == *spec {
            return Ok(live);
        }
        live.spec = spec.clone();
        label_owner(&mut live);
        live.metadata.resource_version = Some(self.next_version());
        live.metadata.generation = live.metadata.generation.map(|generation| generation + 1);
        self.put_claim(live.clone());
        Ok(live)
    }

    /// Deletes a claim of just this version.
    ///
    /// # Errors
    /// Another version.
    pub fn delete_claim(&mut self, seen: &InvitationClaim) -> Answer<()> {
        let mut live = match self.same_claim(seen) {
            Err(ClusterError::Gone) => return Ok(()),
            live => live?,
        };
        self.claims.remove(&seen.name_any());
        live.metadata.resource_version = Some(self.next_version());
        self.claim_events.push(Event::Delete(live));
        Ok(())
    }

    /// A disaster: a claim is lost.
    pub fn lose_claim(&mut self, name: &str) {
        if let Some(claim) = self.claims.remove(name) {
            self.claim_events.push(Event::Delete(claim));
        }
    }
}

/// Kubernetes writes times in whole seconds.
fn whole(at: Timestamp) -> Time {
    Time(Timestamp::from_second(at.as_second()).unwrap_or(at))
}
