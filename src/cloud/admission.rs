//! How a call begins: counted in its bucket, with what its signature costs.
//!
//! Owns which bucket that is, and that a token is there before room is asked for. Must never wait once room is had.

use super::endpoint::Endpoint;
use super::http_api::{Auth, HttpApi};
use super::limits::Tally;
use super::room::Room;
use crate::api::Product;
use crate::domain::bucket::Priority;
use crate::domain::failure::Failure;
use crate::domain::limits::{BucketKey, EndpointSet};
use crate::domain::remote::ObjectId;

impl HttpApi {
    /// Which bucket a call counts in.
    fn bucket(&self, endpoint: Endpoint, project: Option<&ObjectId>) -> BucketKey {
        let set = match (project, self.routes.product(), endpoint) {
            (None, ..) => EndpointSet::Root,
            (Some(_), Product::CloudManager | Product::OpsManager, _) => EndpointSet::Project,
            (Some(_), Product::Atlas, Endpoint::ListMembers) => EndpointSet::CloudUsers,
            (Some(_), Product::Atlas, _) => EndpointSet::Projects,
        };
        let scope = project.map_or_else(|| self.identity.clone(), |project| project.as_str().to_owned());
        BucketKey { host: self.host.clone(), set, scope }
    }

    /// Leave for one call, whose token is there: what its signature costs is counted, too.
    pub(super) async fn enter(
        &self,
        endpoint: Endpoint,
        project: Option<&ObjectId>,
        priority: Priority,
    ) -> Result<Room, Failure> {
        let requests = match &self.auth {
            Auth::Digest { .. } => 2,
            Auth::Bearer(tokens) => {
                tokens.current(&self.transport, self.calls.as_ref(), self.deadline()).await?;
                1
            }
        };
        self.limits.enter(self.bucket(endpoint, project), requests, priority).await
    }

    /// A call that may be repeated begins when there is room for it.
    pub(super) async fn begin(&self, endpoint: Endpoint, project: Option<&ObjectId>) -> Result<Tally, Failure> {
        let mut tally = Tally::start(endpoint, project);
        match self.enter(endpoint, project, Priority::Yields).await {
            Ok(room) => {
                tally.enter(room);
                Ok(tally)
            }
            Err(failure) => tally.finish(self.calls.as_ref(), Err(failure)),
        }
    }

    /// The next page of the same call.
    pub(super) async fn turn_page(&self, tally: &mut Tally, project: &ObjectId) -> Result<(), Failure> {
        tally.leave();
        let room = self.enter(tally.endpoint(), Some(project), Priority::Yields).await?;
        tally.next_page(room);
        Ok(())
    }
}
