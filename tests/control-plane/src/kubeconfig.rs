//! Kubeconfig files, with everything embedded.
//!
//! Must never: be written anywhere but into the folder of the plane.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::credentials::Client;
use crate::error::Error;

/// Where the API server is and whom to trust there.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) server: String,
    pub(crate) authority: String,
}

impl Cluster {
    /// A kubeconfig of a user with a client certificate.
    pub(crate) fn for_client(&self, client: &Client, file: PathBuf) -> Result<PathBuf, Error> {
        let user = json!({
            "client-certificate-data": STANDARD.encode(&client.certificate),
            "client-key-data": STANDARD.encode(&client.key),
        });
        self.write(&user, file)
    }

    /// A kubeconfig of a user with a bearer token.
    pub(crate) fn for_token(&self, token: &str, file: PathBuf) -> Result<PathBuf, Error> {
        self.write(&json!({ "token": token }), file)
    }

    fn write(&self, user: &Value, file: PathBuf) -> Result<PathBuf, Error> {
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": "control-plane",
                "cluster": {
                    "server": self.server,
                    "certificate-authority-data": STANDARD.encode(&self.authority),
                },
            }],
            "users": [{ "name": "user", "user": user }],
            "contexts": [{
                "name": "control-plane",
                "context": { "cluster": "control-plane", "user": "user" },
            }],
            "current-context": "control-plane",
        });
        write(&file, &format!("{config:#}\n"))?;
        Ok(file)
    }
}

fn write(file: &Path, text: &str) -> Result<(), Error> {
    fs::write(file, text).map_err(Error::os(format!("write {}", file.display())))
}
