//! Actions on products, for the gallery, the viewer and the comparison.

use std::path::PathBuf;

use fanlight_shared::asset::Asset;
use fanlight_shared::id::AssetId;
use fanlight_shared::rpc::assets;

use crate::ui::effect::Effect;
use crate::ui::layer::confirm::Confirm;
use crate::ui::layer::prompt::Prompt;
use crate::ui::model::Model;
use crate::ui::model::component::Layer;

/// Stars these products, or removes their stars if all have one.
#[must_use]
pub fn star(products: &[&Asset]) -> Vec<Effect> {
    if products.is_empty() {
        return Vec::new();
    }
    let starred = !products.iter().all(|asset| asset.starred);
    vec![Effect::Star(assets::Star { assets: products.iter().map(|asset| asset.id).collect(), starred })]
}

/// Returns the question before these are deleted.
#[must_use]
pub fn delete(products: &[&Asset]) -> Option<Confirm> {
    let ids: Vec<AssetId> = products.iter().map(|asset| asset.id).collect();
    let title = match products {
        [] => return None,
        [one] => format!("Delete {} of {}?", one.name, one.run),
        many => format!("Delete {} products?", many.len()),
    };
    let starred = products.iter().filter(|asset| asset.starred).count();
    let mut text = "Their bytes are gone for good. The runs stay.".to_owned();
    match starred {
        0 => {}
        1 => text.push_str(" One of them is starred."),
        more => text.push_str(&format!(" {more} of them are starred.")),
    }
    if products.len() == 1 {
        text = text
            .replace("Their", "Its")
            .replace("One of them is", "It is")
            .replace("The runs stay", "The run stays");
    }
    Some(Confirm {
        title,
        text,
        yes: "delete".to_owned(),
        effects: vec![Effect::DeleteAssets(ids)],
        of_marks: false,
    })
}

/// Returns the prompt for the path of a product.
#[must_use]
pub fn save(asset: &Asset, model: &Model) -> Layer {
    let (id, folder) = (asset.id, model.options.folder.clone());
    let name = asset.name.replace(['/', '\\'], "_");
    let own = name.clone();
    let prompt = Prompt::new(format!("Save {} as", asset.name), name, move |_, text| {
        let text = text.trim();
        if text.is_empty() {
            return Err("a file name is needed".to_owned());
        }
        let path = match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
            (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
            _ => folder.join(text),
        };
        let path = if path.is_dir() { path.join(&own) } else { path };
        if path.symlink_metadata().is_ok() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(format!("{name} exists already; choose another name"));
        }
        Ok(vec![Effect::SaveAs(id, path)])
    });
    prompt.hint("a new file or an existing folder").into()
}

/// Copies a product: its value if that is text, else its id for `fanlight assets get`.
#[must_use]
pub fn copy(asset: &Asset) -> Vec<Effect> {
    let text = if asset.value.has_media() {
        asset.id.to_string()
    } else {
        asset.value.to_text().unwrap_or_default()
    };
    vec![Effect::Copy(text)]
}
