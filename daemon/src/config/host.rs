//! Homes on other computers.

/// How a client reaches a home on another computer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSettings {
    /// The destination of `ssh`, such as `ada@box`; by default the name itself.
    pub ssh: Option<String>,
    /// The home there; by default that of the user.
    pub home: Option<String>,
    /// The program there; by default `fanlight`.
    pub program: Option<String>,
}
