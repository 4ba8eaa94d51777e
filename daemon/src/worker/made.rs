//! What a worker has made: its new files are published, and its values refer to them.

use std::collections::BTreeMap;

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::{Media, SourceFile};
use fanlight_shared::value::{Value, Values};

use super::scratch::Scratch;
use crate::file_error::FileError;
use crate::media;
use crate::node_type::NewFile;
use crate::store::blob::{Blobs, Published};

/// The output of a worker.
pub(super) struct Made {
    pub(super) blobs: Blobs,
    pub(super) scratch: Scratch,
    pub(super) values: Values,
    pub(super) files: BTreeMap<BlobHash, NewFile>,
    pub(super) known: Known,
}

/// The media that a worker was given, by hash, with the files of the user that hold it.
pub(super) type Known = BTreeMap<BlobHash, Option<Box<SourceFile>>>;

pub(super) fn known(given: &[Media]) -> Known {
    given.iter().map(|media| (media.hash, media.source.clone())).collect()
}

impl Made {
    /// Publishes the new files and puts their media in the place of the tokens.
    pub(super) fn publish(&self) -> Result<(Values, Vec<Published>), FileError> {
        let Self { blobs, scratch, values, files, known } = self;
        let mut values = values.clone();
        let mut published = Vec::new();
        let mut made = BTreeMap::new();
        for (token, new) in files {
            let file =
                scratch.open(&new.file).map_err(|error| format!("a made file can't be read: {error}"))?;
            let (media, blob) = media::publish(blobs, file, &new.name)?;
            published.push(blob);
            made.insert(*token, media);
        }
        for value in values.values_mut() {
            settle(value, &made, known)?;
        }
        Ok((values, published))
    }
}

/// Puts media in the place of the tokens that stand for new files.
///
/// # Errors
/// It names bytes that are neither new nor known.
pub(super) fn settle(
    value: &mut Value,
    made: &BTreeMap<BlobHash, Media>,
    known: &Known,
) -> Result<(), String> {
    match value {
        Value::Media(media) => match made.get(&media.hash) {
            Some(new) => **media = new.clone(),
            // A worker has read foreign bytes: it may hand back what it was given and what it made, nothing else.
            None => match known.get(&media.hash) {
                Some(source) => media.source.clone_from(source),
                None => return Err("the worker named bytes that it neither got nor made".into()),
            },
        },
        Value::List(items) => items.iter_mut().try_for_each(|item| settle(item, made, known))?,
        Value::Object(map) => map.values_mut().try_for_each(|value| settle(value, made, known))?,
        _ => {}
    }
    Ok(())
}
