//! `text.hash`

use fanlight_shared::media::MediaKind;
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;
use sha1::Sha1;
use sha2::digest::DynDigest;
use sha2::{Sha256, Sha512};

use crate::content;
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{Made, NodeCall, NodeType, Runner};
use crate::store::blob::BlobReader;

/// The bytes of a file that are read at once.
const CHUNK: u64 = 256 << 10;

pub(super) fn node_type() -> NodeType {
    Build::new("text.hash", "Computes the checksum of a text or a file.")
        .input("value", Type::Any, "The value: text and files are hashed as they are, all else as JSON.")
        .input("algorithm", Type::Choice, "The algorithm; `sha1` only for systems that require it.")
        .default("sha256")
        .choices(&["sha256", "sha512", "sha1", "blake3"])
        .output("hash", Type::Text, "The checksum in lower-case hexadecimal.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let services = call.services.clone();
    services.blocking(move || Ok((one("hash", checksum(&call)?), Vec::new()))).await
}

fn checksum(call: &NodeCall) -> Result<String, FileError> {
    let mut hash = Hash::of(call.inputs.text("algorithm")?)?;
    let cancelled = || call.services.cancel().is_cancelled();
    match call.inputs.maybe("value").unwrap_or(&Value::None) {
        Value::Text(text) => hash.add(text.as_bytes()),
        Value::Media(media) if media.kind == MediaKind::Dir => {
            let sentence = format!("`{}` is a folder; hash its files instead, with `file.list`", media.name);
            return Err(sentence.into());
        }
        Value::Media(media) => hash.add_all(call.blobs.open_media(media)?, &cancelled)?,
        Value::Large(large) if large.is_text() => {
            large.check_whole()?;
            hash.add_all(call.blobs.open_blob(large.hash)?, &cancelled)?;
        }
        value if value.has_media() => {
            return Err("a value that contains files has no checksum; use `each`".into());
        }
        value => content::write_json(value, &call.blobs, &mut hash)?,
    }
    Ok(hash.finish())
}

enum Hash {
    Sha(Box<dyn DynDigest + Send>),
    Blake3(Box<blake3::Hasher>),
}

impl Hash {
    fn of(algorithm: &str) -> Result<Self, String> {
        Ok(match algorithm {
            "sha256" => Self::Sha(Box::new(Sha256::default())),
            "sha512" => Self::Sha(Box::new(Sha512::default())),
            "sha1" => Self::Sha(Box::new(Sha1::default())),
            "blake3" => Self::Blake3(Box::default()),
            other => return Err(format!("`{other}` is not an algorithm")),
        })
    }

    fn add(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha(sha) => sha.update(bytes),
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
        }
    }

    fn add_all(&mut self, mut reader: BlobReader, cancelled: &dyn Fn() -> bool) -> Result<(), FileError> {
        while reader.left() > 0 {
            if cancelled() {
                return Err("cancelled".into());
            }
            self.add(&reader.next(CHUNK)?);
        }
        Ok(())
    }

    fn finish(self) -> String {
        match self {
            Self::Sha(sha) => sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
            Self::Blake3(hasher) => hasher.finalize().to_hex().to_string(),
        }
    }
}

impl std::io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn checksums_equal_those_of_common_tools() {
        for (algorithm, expected) in [
            ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("blake3", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"),
        ] {
            let mut hash = Hash::of(algorithm).unwrap();
            hash.add(b"a");
            hash.write_all(b"bc").unwrap();
            assert_eq!(hash.finish(), expected, "{algorithm}");
        }
        assert!(Hash::of("sha512").unwrap().finish().starts_with("cf83e1357eefb8bd"));
        assert!(Hash::of("md5").is_err());
    }
}
