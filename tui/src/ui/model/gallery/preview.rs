//! Stored previews that are text: the head of a text, the peaks of a sound.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::id::AssetId;

use crate::ui::effect::Effect;

/// How many are kept: more than the largest screen shows, whose frames would otherwise drop and request them forever.
const MAX_PREVIEWS: usize = 2_048;

/// A stored preview that is text.
#[derive(Clone, PartialEq, Debug)]
pub enum Preview {
    /// The head of a text.
    Text(Arc<str>),
    /// The minimum and maximum of each section of a sound, between -1 and 1.
    Peaks(Arc<[[f32; 2]]>),
}

/// The previews that were read.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Previews {
    read: HashMap<AssetId, Preview>,
    asked: HashSet<AssetId>,
    order: VecDeque<AssetId>,
}

impl Previews {
    /// Requests the preview of a product once, if its preview is text.
    pub fn want(&mut self, asset: &Asset) -> Option<Effect> {
        let has = matches!(asset.kind, AssetKind::Audio | AssetKind::File);
        (has && asset.preview == PreviewState::Ready).then(|| self.ask(asset.id)).flatten()
    }

    /// Requests a stored preview that is text, once.
    pub fn ask(&mut self, asset: AssetId) -> Option<Effect> {
        self.asked.insert(asset).then_some(Effect::GetPreviewText(asset))
    }

    /// Takes one in.
    pub fn response(&mut self, asset: AssetId, text: &str) {
        let preview = peaks(text).map_or_else(|| Preview::Text(text.into()), |it| Preview::Peaks(it.into()));
        self.asked.insert(asset);
        if self.read.insert(asset, preview).is_none() {
            self.order.push_back(asset);
        }
        if self.order.len() > MAX_PREVIEWS
            && let Some(oldest) = self.order.pop_front()
        {
            self.forget(oldest);
        }
    }

    /// Returns one of them.
    #[must_use]
    pub fn get(&self, asset: AssetId) -> Option<&Preview> {
        self.read.get(&asset)
    }

    /// Forgets one.
    pub fn forget(&mut self, asset: AssetId) {
        self.read.remove(&asset);
        self.asked.remove(&asset);
        self.order.retain(|it| *it != asset);
    }
}

fn peaks(text: &str) -> Option<Vec<[f32; 2]>> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Stored {
        peaks: Vec<[f32; 2]>,
    }
    serde_json::from_str::<Stored>(text).ok().map(|stored| stored.peaks)
}
