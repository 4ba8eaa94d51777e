//! The filter of products, as the user types it.

use fanlight_shared::asset::AssetKind;

use crate::ui::effect::Effect;
use crate::ui::layer::prompt::Prompt;
use crate::ui::model::Model;
use crate::ui::model::gallery::{Scope, list};

/// Shows the products that contain this text.
pub(super) fn set_text(model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
    text.trim().clone_into(&mut model.gallery.filter.text);
    Ok(list::follow(model))
}

/// Prompts for all filters in one line: `poster image starred`.
pub(super) fn ask_filters(model: &mut Model) {
    let filter = &model.gallery.filter;
    let words = [
        filter.node.clone(),
        filter.kind.map(|kind| kind.word().to_owned()),
        filter.starred.then(|| "starred".to_owned()),
    ];
    let text = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let prompt = Prompt::new("Show only", text, set_filters)
        .hint("a node, a kind (image audio video text number json file dir), starred");
    model.layers.push(prompt.into());
}

fn set_filters(model: &mut Model, text: &str) -> Result<Vec<Effect>, String> {
    const KINDS: [AssetKind; 8] = [
        AssetKind::Image,
        AssetKind::Audio,
        AssetKind::Video,
        AssetKind::Text,
        AssetKind::Number,
        AssetKind::Json,
        AssetKind::File,
        AssetKind::Dir,
    ];
    let (mut node, mut kind, mut starred) = (None, None, false);
    for word in text.split_whitespace() {
        let of_kind = KINDS.into_iter().find(|it| it.word() == word);
        let is_node = model.drawn().is_some_and(|(workflow, _)| workflow.nodes.contains_key(word));
        match of_kind {
            // A node may have the name of a kind; the first word is the node.
            _ if is_node && node.is_none() => node = Some(word.to_owned()),
            Some(_) => kind = of_kind,
            None if word == "starred" || word == "*" => starred = true,
            None => return Err(format!("`{word}` is no node of this workflow and no kind")),
        }
    }
    let filter = &mut model.gallery.filter;
    if node.is_some() {
        filter.scope = Scope::Node;
    }
    (filter.node, filter.kind, filter.starred) = (node, kind, starred);
    Ok(list::follow(model))
}
