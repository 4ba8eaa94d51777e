//! The list of panes, from which keys, frames and dispatch are generated.

use super::action::{Action, Scope};
use super::component::Component;
use super::gallery::GalleryPane;
use super::grid::GridPane;
use super::queue::QueuePane;

/// Implements a pane by the functions of a folder's `update` and `view`, so that the boilerplate is written once.
macro_rules! pane {
    ($(#[$doc:meta])* $name:ident $scope:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl $crate::ui::component::Component for $name {
            fn key(
                &mut self,
                model: &mut $crate::ui::model::Model,
                _key: crossterm::event::KeyEvent,
                action: Option<$crate::ui::action::Action>,
            ) -> $crate::ui::component::Step {
                use $crate::ui::action::Action;
                use $crate::ui::component::Step;
                match action {
                    Some(Action::Back) if !update::back(model) => Step::pass(),
                    Some(Action::Back) | None => Step::stay(),
                    Some(action) => Step::with(update::act(model, action)),
                }
            }

            fn mouse(
                &mut self,
                model: &mut $crate::ui::model::Model,
                mouse: crossterm::event::MouseEvent,
                hit: Option<&$crate::ui::view::Hit>,
            ) -> $crate::ui::component::Step {
                $crate::ui::component::Step::with(update::mouse(model, mouse, hit))
            }

            fn response(
                &mut self,
                model: &mut $crate::ui::model::Model,
                response: &mut $crate::ui::message::Response,
            ) -> Vec<$crate::ui::effect::Effect> {
                update::response(model, response)
            }

            fn notification(
                &mut self,
                model: &mut $crate::ui::model::Model,
                notification: &fanlight_shared::rpc::watch::Notification,
            ) -> Vec<$crate::ui::effect::Effect> {
                update::notification(model, notification)
            }

            fn moved(&mut self, model: &mut $crate::ui::model::Model) -> Vec<$crate::ui::effect::Effect> {
                update::moved(model)
            }

            fn shown(&mut self, model: &mut $crate::ui::model::Model) -> Vec<$crate::ui::effect::Effect> {
                update::shown(model)
            }

            fn scope(&self) -> Option<$crate::ui::action::Scope> {
                Some($crate::ui::action::Scope::$scope)
            }

            fn enabled(&self, model: &$crate::ui::model::Model, action: $crate::ui::action::Action) -> bool {
                update::enabled(model, action)
            }

            fn hints(&self, model: &$crate::ui::model::Model) -> Vec<$crate::ui::action::Action> {
                update::hints(model)
            }

            fn title(&self, model: &$crate::ui::model::Model) -> (String, String) {
                view::title(model)
            }

            fn view(
                &self,
                model: &$crate::ui::model::Model,
                theme: &$crate::ui::theme::Theme,
                area: ratatui::layout::Rect,
                buffer: &mut ratatui::buffer::Buffer,
                areas: &mut $crate::ui::view::Areas,
            ) {
                view::view(model, theme, area, buffer, areas);
            }
        }
    };
}
pub(super) use pane;

macro_rules! panes {
    ($($(#[$doc:meta])* $name:ident($component:expr) $title:literal $action:ident)+) => {
        /// A pane.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
        pub enum Pane { $($(#[$doc])* $name,)+ }

        impl Pane {
            /// All, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Returns its title.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// Returns the action that focuses it.
            #[must_use]
            pub fn action(self) -> Action {
                match self { $(Self::$name => Action::$action,)+ }
            }

            /// Returns its implementation. Its state is part of the model.
            #[must_use]
            pub fn component(self) -> Box<dyn Component> {
                match self { $(Self::$name => Box::new($component),)+ }
            }
        }
    };
}

panes! {
    /// The node grid of the run in focus.
    #[default]
    Grid(GridPane) "Grid" GridPane
    /// The runs.
    Queue(QueuePane) "Queue" QueuePane
    /// The products.
    Gallery(GalleryPane) "Gallery" GalleryPane
}

impl Pane {
    /// Returns the pane whose own actions work in this scope.
    #[must_use]
    pub fn of_scope(scope: Scope) -> Option<Self> {
        Self::ALL.iter().copied().find(|pane| pane.component().scope() == Some(scope))
    }
}
