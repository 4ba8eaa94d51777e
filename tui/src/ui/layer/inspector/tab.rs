//! The pages of the inspector.

/// A page of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Tab {
    #[default]
    Outputs,
    Inputs,
    Items,
    Metrics,
    Activity,
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
            Self::Activity => "Activity",
            Self::Log => "Log",
            Self::Error => "Error",
            Self::Attempts => "Attempts",
        }
    }
}
