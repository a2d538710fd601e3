//! The image as it is published: an OCI archive, unpacked as a container runtime would.
//!
//! Owns where the layers lie. Must never repair anything.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// An unpacked image.
pub struct Image {
    folder: TempDir,
    /// Of the image's one manifest.
    pub digest: String,
    pub config: Value,
    /// What a registry keeps: the compressed layers.
    pub compressed: u64,
}

impl Image {
    /// Unpacks an OCI archive.
    pub fn open(archive: &Path) -> Self {
        let folder = TempDir::new().unwrap();
        let layout = folder.path().join("layout");
        let rootfs = folder.path().join("rootfs");
        for made in [&layout, &rootfs] {
            std::fs::create_dir(made).unwrap();
        }
        unpack(archive, &layout, "--extract");
        let read = |path: PathBuf| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
        let blob = |digest: &Value| layout.join("blobs").join(digest.as_str().unwrap().replace(':', "/"));
        let index = read(layout.join("index.json"));
        let manifests = index["manifests"].as_array().unwrap();
        assert_eq!(manifests.len(), 1, "one platform");
        let digest = &manifests[0]["digest"];
        let manifest = read(blob(digest));
        let mut compressed = 0;
        for layer in manifest["layers"].as_array().unwrap() {
            compressed += layer["size"].as_u64().unwrap();
            unpack(&blob(&layer["digest"]), &rootfs, "--extract");
        }
        let config = read(blob(&manifest["config"]["digest"]));
        Self { digest: digest.as_str().unwrap().to_owned(), config, compressed, folder }
    }

    /// The unpacked root.
    pub fn rootfs(&self) -> PathBuf {
        self.folder.path().join("rootfs")
    }

    /// Every file in it, with its size.
    pub fn files(&self) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        let mut folders = vec![self.rootfs()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let about = path.symlink_metadata().unwrap();
                if about.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.rootfs()).unwrap().to_str().unwrap().to_owned();
                    found.push((name, about.len()));
                }
            }
        }
        found.sort();
        found
    }
}

fn unpack(archive: &Path, folder: &Path, how: &str) {
    let status =
        Command::new("tar").arg(how).arg("--file").arg(archive).arg("--directory").arg(folder).status().unwrap();
    assert!(status.success(), "{} is no archive", archive.display());
}
