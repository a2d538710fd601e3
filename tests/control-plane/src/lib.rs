//! Starts a real Kubernetes control plane on loopback for tests and the demo:
//! etcd, kube-apiserver and, unless refused, kube-controller-manager.
//!
//! Owns: the processes, their credentials, their ports and their folder, from
//! [`ControlPlane::start`] until the value is dropped or its process dies, by
//! whatever signal.
//!
//! Must never: listen on anything but loopback, leave a process or a file
//! behind, touch a kubeconfig or a cache of the user, or pretend to be ready.
//!
//! ```no_run
//! # async fn example() -> Result<(), control_plane::Error> {
//! use control_plane::{ControlPlane, Options};
//!
//! let plane = ControlPlane::start(Options::default()).await?;
//! println!("{} at {}", plane.version(), plane.server_url());
//! plane.stop().await
//! # }
//! ```

mod chaos;
mod commands;
mod components;
mod credentials;
mod error;
mod folder;
mod kubeconfig;
mod options;
mod plane;
mod port;
mod proxy;
mod ready;
mod supervised;
mod tools;

pub use error::Error;
pub use options::Options;
pub use plane::ControlPlane;
pub use proxy::{Proxy, Request, Rule, RuleId, Trouble};
