//! Layers over the panes: a stack whose topmost layer gets the keys first. Each kind has its own file.

pub mod choose;
pub mod compare;
pub mod confirm;
pub mod delete;
pub mod form;
pub mod help;
pub mod home;
pub mod inspector;
pub mod list;
pub mod messages;
pub mod palette;
pub mod prompt;
pub mod questions;
pub mod values;
pub mod viewer;

use std::ops::{Deref, DerefMut};

use super::component::Component;

macro_rules! layers {
    ($($(#[$doc:meta])* $name:ident($type:ty))+) => {
        /// A layer over the panes.
        #[derive(Debug)]
        pub enum Layer { $($(#[$doc])* $name(Box<$type>),)+ }

        impl Deref for Layer {
            type Target = dyn Component;

            fn deref(&self) -> &Self::Target {
                match self { $(Self::$name(layer) => &**layer,)+ }
            }
        }

        impl DerefMut for Layer {
            fn deref_mut(&mut self) -> &mut Self::Target {
                match self { $(Self::$name(layer) => &mut **layer,)+ }
            }
        }

        $(impl From<$type> for Layer {
            fn from(layer: $type) -> Self {
                Self::$name(Box::new(layer))
            }
        })+
    };
}

layers! {
    /// Workflows: of this folder, recent ones, examples.
    Home(home::Home)
    /// Every key and action, searchable and runnable.
    Help(help::Help)
    /// All commands by their descriptions.
    Palette(palette::Palette)
    /// A short list to choose from.
    Choose(choose::Choose)
    /// A question before an action that can't be undone.
    Confirm(confirm::Confirm)
    /// The question before runs are deleted.
    Delete(delete::Delete)
    /// One line of text.
    Prompt(prompt::Prompt)
    /// The open questions and their answers.
    Questions(questions::Questions)
    /// The history of messages.
    Messages(messages::Messages)
    /// One node of the focused run.
    Inspector(inspector::Inspector)
    /// The values of a port in every run.
    Values(values::ValuesOfRuns)
    /// The params of new runs.
    Form(form::Form)
    /// One product, full screen.
    Viewer(viewer::Viewer)
    /// Runs or products side by side.
    Compare(compare::Compare)
}
