//! The ends of runs and sweeps, and what is to be done because of them. The store keeps it from the commit of the end until it
//! has succeeded, so it happens at least once, also across restarts.

use fanlight_shared::on_end::{EndOf, OnEnd};
use fanlight_shared::run::RunStatus;
use fanlight_shared::time::Time;

/// The end of a run or a sweep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// What has ended.
    pub of: EndOf,
    /// Its name: `poster#12`, `poster/3`.
    pub name: String,
    /// The slug of its workflow.
    pub workflow: String,
    /// Its state. A sweep has failed if one of its runs has, else it is cancelled if one of them is.
    pub state: RunStatus,
    /// When it ended.
    pub at: Time,
}

/// What is to be done because of an end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// Its row.
    pub key: i64,
    /// The same for each try, and different for each end and each thing to do.
    pub id: String,
    /// What to do.
    pub on_end: OnEnd,
    /// The end.
    pub end: End,
    /// How many times it was tried.
    pub tries: u32,
}

/// What is due.
#[derive(Clone, Default, Debug)]
pub struct DueRows {
    /// What is to be done.
    pub due: Vec<Due>,
    /// The rows that can't be read, with the reason.
    pub unreadable: Vec<(i64, String)>,
}
