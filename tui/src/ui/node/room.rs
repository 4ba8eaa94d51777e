//! What fills a large card: a picture or a sound, or a text of several lines.

use fanlight_shared::run::NodeStatus;
use fanlight_shared::value::Value;

use super::{Facts, failure, state};
use crate::ui::graph::Layout;
use crate::ui::model::Model;
use crate::ui::model::grid::pictures::NodePicture;

/// The picture or sound of a node.
pub struct Shown {
    /// The product.
    pub picture: NodePicture,
    /// Whether it is of another run, because the one in focus has none yet.
    pub is_other: bool,
}

/// Returns the picture or sound of a node of the graph on screen, by its place in the file.
#[must_use]
pub fn shown(model: &Model, layout: &Layout, node: usize) -> Option<Shown> {
    let (workflow, _) = model.drawn()?;
    let of_run = model.lens().and_then(|lens| state(lens.state, layout, node));
    Facts::planned(model, workflow, layout, &[], node).run(of_run).shown()
}

impl<'a> Facts<'a> {
    /// Returns its picture or sound: of the run in focus, else the newest of another run while this one has no value.
    #[must_use]
    pub fn shown(&self) -> Option<Shown> {
        let (port, pictures) = (self.port(), &self.model.grid.pictures);
        self.products?;
        let focus = self.model.lens().map(|lens| lens.run.id);
        if let Some(picture) = focus.and_then(|focus| pictures.own(focus, self.name, port)) {
            return Some(Shown { picture, is_other: false });
        }
        let made = self.state.is_some_and(|state| !state.whole.outputs.is_empty());
        let newest = if made { None } else { pictures.newest(self.name, port) };
        newest.map(|picture| Shown { picture, is_other: true })
    }

    /// Returns its value in the run in focus, if that is not media.
    #[must_use]
    pub fn plain_value(&self) -> Option<&'a Value> {
        let whole = &self.state?.whole;
        let value = whole.outputs.get(self.port()?)?;
        (!value.has_media()).then_some(value)
    }

    /// Returns the text that it is writing.
    #[must_use]
    pub fn unfinished_text(&self) -> Option<&'a str> {
        let whole = &self.state.filter(|_| self.runs())?.whole;
        whole.previews.get(self.port()?)?.as_text()
    }

    /// Returns why it failed.
    #[must_use]
    pub fn failed_with(&self) -> Option<String> {
        let whole = &self.state?.whole;
        (whole.status == NodeStatus::Failed).then(|| failure(whole))
    }
}
