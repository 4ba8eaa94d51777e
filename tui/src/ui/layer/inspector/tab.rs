//! The pages of the inspector.

/// A page of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Tab {
    #[default]
    Outputs,
    Inputs,
    Items,
    Metrics,
    Plan,
    Tasks,
    Calls,
    Models,
    Log,
    Error,
    Attempts,
}

impl Tab {
    /// Returns its title.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Outputs => "Outputs",
            Self::Inputs => "Inputs",
            Self::Items => "Items",
            Self::Metrics => "Metrics",
            Self::Plan => "Plan",
            Self::Tasks => "Tasks",
            Self::Calls => "Calls",
            Self::Models => "Models",
            Self::Log => "Log",
            Self::Error => "Error",
            Self::Attempts => "Attempts",
        }
    }
}
