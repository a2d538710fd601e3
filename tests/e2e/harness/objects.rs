//! Makes and changes objects, and plants what they speak of.

use super::READER;
use super::world::World;
use atlas_sim::{Credential, CredentialKind, CredentialSeed, ProjectSeed};
use invitation_operator::api::{
    Adoption, AllowClusterInviter, AllowInviter, ClusterInviter, ClusterInviterSpec, CredentialsSecretRef, Deletion,
    InvitationClaim, Inviter, InviterKind, InviterRef, InviterSpec, Mode, NamespaceSelector, OnUnknown, Product,
    ProjectInvitation, ProjectInvitationSpec, ReadyWhen,
};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

/// A project and credentials that may invite to it.
pub struct Account {
    pub project: String,
    pub key: Credential,
}

impl World {
    /// The invitations of this test.
    pub fn invitations(&self) -> Api<ProjectInvitation> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The inviters of this test.
    pub fn inviters(&self) -> Api<Inviter> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The claims of this test's operator.
    pub fn claim_api(&self) -> Api<InvitationClaim> {
        Api::namespaced(self.client.clone(), &self.operator_namespace)
    }

    /// The Secrets of this test.
    pub fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Plants a project of a product.
    pub fn plant_project(&self, product: Product, name: &str) -> String {
        let product = match product {
            Product::Atlas => atlas_sim::Product::Atlas,
            Product::CloudManager => atlas_sim::Product::CloudManager,
            Product::OpsManager => atlas_sim::Product::OpsManager,
        };
        self.sim.seed_project(ProjectSeed::new(product, name))
    }

    /// Plants an Atlas project and a service account, and makes an inviter `atlas` of them.
    pub async fn atlas(&self) -> Account {
        self.atlas_with(|_| {}).await
    }

    /// The same, with changes to the inviter.
    pub async fn atlas_with(&self, change: impl FnOnce(&mut InviterSpec)) -> Account {
        let project = self.plant_project(Product::Atlas, "payments");
        let key = self.sim.seed_credential(CredentialSeed::service_account().grant(&project, ["GROUP_OWNER"]));
        self.secret("atlas", &key).await;
        self.inviter("atlas", "atlas", change).await;
        Account { project, key }
    }

    /// Makes a Secret of credentials.
    pub async fn secret(&self, name: &str, key: &Credential) {
        let (id, secret) = match key.kind {
            CredentialKind::ApiKey => ("publicApiKey", "privateApiKey"),
            CredentialKind::ServiceAccount => ("clientId", "clientSecret"),
        };
        self.raw_secret(name, &[(id, &key.id), (secret, &key.secret)]).await;
    }

    /// Makes or replaces a Secret with just these keys.
    pub async fn raw_secret(&self, name: &str, data: &[(&str, &str)]) {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
        let secret = Secret {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            data: Some(data.collect()),
            ..Secret::default()
        };
        let secrets = self.secrets();
        match secrets.get_opt(name).await.unwrap() {
            None => secrets.create(&PostParams::default(), &secret).await.unwrap(),
            Some(_) => secrets.replace(name, &PostParams::default(), &secret).await.unwrap(),
        };
    }

    /// Makes a Secret of credentials in the operator's namespace.
    pub async fn operator_secret(&self, name: &str, key: &Credential) {
        let data = [("publicApiKey", &key.id), ("privateApiKey", &key.secret)];
        let data = data.map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())));
        let secret = Secret {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            data: Some(data.into()),
            ..Secret::default()
        };
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.operator_namespace);
        secrets.create(&PostParams::default(), &secret).await.unwrap();
    }

    /// Makes a cluster inviter for the namespaces with the label `mongodb: allowed`.
    pub async fn cluster_inviter(&self, name: &str, secret: &str, change: impl FnOnce(&mut ClusterInviterSpec)) {
        let everything = || Some(vec!["*".to_owned()]);
        let mut spec = ClusterInviterSpec {
            product: Product::Atlas,
            base_url: Some(self.sim.base_url().to_owned()),
            credentials_secret_ref: CredentialsSecretRef { name: secret.to_owned() },
            ca_bundle_ref: None,
            check_interval: "30s".to_owned(),
            mode: Mode::Enforce,
            adoption: Adoption::SameRoles,
            on_unknown: OnUnknown::Retry,
            allow: Some(AllowClusterInviter { projects: everything(), roles: everything(), email_domains: None }),
            namespaces: Some(NamespaceSelector {
                match_labels: [("mongodb".to_owned(), "allowed".to_owned())].into(),
                match_expressions: Vec::new(),
            }),
        };
        change(&mut spec);
        let api: Api<ClusterInviter> = Api::all(self.client.clone());
        api.create(&PostParams::default(), &ClusterInviter::new(name, spec)).await.unwrap();
    }

    /// Makes an inviter that looks every 30 s, as the factor divides them.
    pub async fn inviter(&self, name: &str, secret: &str, change: impl FnOnce(&mut InviterSpec)) -> Inviter {
        let mut spec = InviterSpec {
            product: Product::Atlas,
            base_url: Some(self.sim.base_url().to_owned()),
            credentials_secret_ref: CredentialsSecretRef { name: secret.to_owned() },
            ca_bundle_ref: None,
            check_interval: "30s".to_owned(),
            mode: Mode::Enforce,
            adoption: Adoption::Any,
            on_unknown: OnUnknown::Retry,
            allow: AllowInviter::default(),
        };
        change(&mut spec);
        self.inviters().create(&PostParams::default(), &Inviter::new(name, spec)).await.unwrap()
    }

    /// Invites a person as a reader through the inviter `atlas`.
    pub async fn invite(&self, name: &str, project: &str, person: &str) -> ProjectInvitation {
        self.invite_with(name, project, person, |_| {}).await
    }

    /// Jane is invited to an Atlas project.
    pub async fn invited(&self) -> (Account, ProjectInvitation) {
        let account = self.atlas().await;
        self.invite("jane", &account.project, super::JANE).await;
        let object = self.until("jane", "invited", super::in_phase(super::Phase::Invited)).await;
        (account, object)
    }

    /// Invites as `invite` does, with changes to the spec.
    pub async fn invite_with(
        &self,
        name: &str,
        project: &str,
        person: &str,
        change: impl FnOnce(&mut ProjectInvitationSpec),
    ) -> ProjectInvitation {
        let object = invitation(name, project, person, change);
        self.invitations().create(&PostParams::default(), &object).await.unwrap()
    }

    /// Merges a patch into an invitation.
    pub async fn patch(&self, name: &str, patch: Value) -> ProjectInvitation {
        self.invitations().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap()
    }

    /// Sets an annotation of an invitation.
    pub async fn annotate(&self, name: &str, annotation: &str, value: &str) -> ProjectInvitation {
        self.patch(name, json!({ "metadata": { "annotations": { annotation: value } } })).await
    }

    /// Merges a patch into an inviter.
    pub async fn patch_inviter(&self, name: &str, patch: Value) -> Inviter {
        self.inviters().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap()
    }

    /// Deletes an invitation; the operator lets it go later.
    pub async fn delete(&self, name: &str) {
        self.invitations().delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Somebody invites a person by hand, in the person's own name.
    pub async fn invite_by_hand(&self, project: &str, person: &str, role: &str) -> String {
        let key = self.sim.seed_credential(CredentialSeed::service_account().grant(project, ["GROUP_OWNER"]));
        let http = reqwest::Client::new();
        let token: Value = http
            .post(format!("{}/api/oauth/token", self.sim.base_url()))
            .basic_auth(&key.id, Some(&key.secret))
            .form(&[("grant_type", "client_credentials")])
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let answer = http
            .post(format!("{}/api/atlas/v2/groups/{project}/invites", self.sim.base_url()))
            .bearer_auth(token["access_token"].as_str().unwrap())
            .header("Accept", "application/vnd.atlas.2023-01-01+json")
            .header("Content-Type", "application/vnd.atlas.2023-01-01+json")
            .body(json!({ "username": person, "roles": [role] }).to_string())
            .send()
            .await
            .unwrap();
        let answer: Value = answer.json().await.unwrap();
        self.sim.clear_requests();
        self.sim.clear_outbox();
        answer["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

/// An invitation as a reader through the inviter `atlas`.
pub fn invitation(
    name: &str,
    project: &str,
    person: &str,
    change: impl FnOnce(&mut ProjectInvitationSpec),
) -> ProjectInvitation {
    let mut spec = ProjectInvitationSpec {
        project_id: project.to_owned(),
        username: person.to_owned(),
        roles: vec![READER.to_owned()],
        inviter_ref: InviterRef { kind: InviterKind::Inviter, name: "atlas".to_owned() },
        suspend: false,
        ready_when: ReadyWhen::Invited,
        deletion: Deletion::default(),
    };
    change(&mut spec);
    ProjectInvitation::new(name, spec)
}
