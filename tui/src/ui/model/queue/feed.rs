//! Ended runs, read page by page as the user scrolls: first those of the current workflow, then all.

use fanlight_shared::id::WorkflowId;
use fanlight_shared::rpc::runs;
use fanlight_shared::run::RunStatus;

use crate::ui::address::Address;
use crate::ui::effect::Effect;
use crate::ui::model::queue::sweeps::Sweeps;
use crate::ui::model::queue::{Filter, Section};

/// Rows a page.
const PAGE: u32 = 100;
/// Rows per page if all rows are needed, because the order isn't that of the daemon.
const LARGE_PAGE: u32 = 1_000;

/// How far ended runs have been read.
#[derive(Debug)]
pub(in crate::ui) struct Feeds {
    generation: u64,
    workflow: Option<WorkflowId>,
    /// Of the current workflow, then of all.
    feeds: Vec<Feed>,
}

#[derive(Debug)]
struct Feed {
    section: Section,
    all: bool,
    cursor: Option<String>,
    /// The generation of the request under way.
    asked: Option<u64>,
    ended: bool,
}

impl Default for Feeds {
    fn default() -> Self {
        Self { generation: 0, workflow: None, feeds: feeds(None) }
    }
}

fn feeds(workflow: Option<WorkflowId>) -> Vec<Feed> {
    let feed = |section, all| Feed { section, all, cursor: None, asked: None, ended: false };
    let of = [Section::Done, Section::Cancelled, Section::Enqueued];
    let mut feeds = Vec::new();
    for section in of {
        // Queued runs are one queue for all workflows.
        if workflow.is_some() && section != Section::Enqueued {
            feeds.push(feed(section, false));
        }
        feeds.push(feed(section, true));
    }
    feeds
}

fn states(section: Section) -> &'static [RunStatus] {
    match section {
        Section::Running => &[RunStatus::Running, RunStatus::Parked, RunStatus::Cancelling],
        Section::Enqueued => &[RunStatus::Queued],
        Section::Done => &[RunStatus::Completed, RunStatus::Failed],
        Section::Cancelled => &[RunStatus::Cancelled],
    }
}

impl Feeds {
    /// Starts over, for another workflow or filter, or after a reconnection.
    pub(in crate::ui) fn reset(&mut self, workflow: Option<WorkflowId>) {
        self.workflow = workflow;
        self.feeds = feeds(workflow);
    }

    /// Returns whether all runs of a section are known.
    pub(in crate::ui) fn is_whole(&self, section: Section) -> bool {
        self.feeds.iter().filter(|feed| feed.section == section).all(|feed| feed.ended)
    }

    /// Requests the next page of a section, unless one is being read or all are known.
    pub(in crate::ui) fn more(
        &mut self,
        section: Section,
        filter: &Filter,
        sweeps: &Sweeps,
        whole: bool,
    ) -> Option<Effect> {
        let workflow = self.workflow;
        let feed = self.feeds.iter_mut().find(|feed| feed.section == section && !feed.ended)?;
        if feed.asked.is_some() {
            return None;
        }
        let states = filter.states(states(section));
        if states.is_empty() {
            feed.ended = true;
            return self.more(section, filter, sweeps, whole);
        }
        self.generation += 1;
        feed.asked = Some(self.generation);
        let list = runs::List {
            workflow_id: workflow.filter(|_| !feed.all),
            states,
            text: filter.text(),
            cursor: feed.cursor.clone(),
            limit: Some(if whole || section == Section::Enqueued { LARGE_PAGE } else { PAGE }),
            request_key: None,
            sweep: None,
            // Their runs have no rows, unless a filter looks for them.
            without_sweeps: if filter.is_empty() { sweeps.folded_names() } else { Vec::new() },
            parent: None,
        };
        Some(Effect::ListRuns { to: Address::QueuePage(self.generation), list })
    }

    /// Adds a page. Returns its section, and its workflow if it is not of all workflows; `None` if it was not requested
    /// here.
    pub(in crate::ui) fn response(
        &mut self,
        to: Address,
        cursor: Option<&String>,
    ) -> Option<(Section, Option<WorkflowId>)> {
        let Address::QueuePage(generation) = to else { return None };
        let feed = self.feeds.iter_mut().find(|feed| feed.asked == Some(generation))?;
        feed.asked = None;
        feed.cursor = cursor.cloned();
        feed.ended = cursor.is_none();
        Some((feed.section, self.workflow.filter(|_| !feed.all)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::workflow_id;

    fn asked(effect: Option<Effect>) -> (Address, runs::List) {
        match effect {
            Some(Effect::ListRuns { to, list }) => (to, list),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_runs_of_the_current_workflow_come_first() {
        let mut feeds = Feeds::default();
        feeds.reset(Some(workflow_id()));
        let filter = Filter::default();
        let (first, list) = asked(feeds.more(Section::Done, &filter, &Sweeps::default(), false));
        assert_eq!(list.workflow_id, Some(workflow_id()));
        assert_eq!(
            feeds.more(Section::Done, &filter, &Sweeps::default(), false),
            None,
            "one request at a time"
        );
        assert!(feeds.response(first, Some(&"next".to_owned())).is_some());
        let (second, list) = asked(feeds.more(Section::Done, &filter, &Sweeps::default(), false));
        assert_eq!(list.cursor.as_deref(), Some("next"));
        assert!(feeds.response(second, None).is_some());
        let (third, list) = asked(feeds.more(Section::Done, &filter, &Sweeps::default(), false));
        assert_eq!((list.workflow_id, list.cursor), (None, None));
        assert!(feeds.response(third, None).is_some() && feeds.is_whole(Section::Done));
        assert_eq!(feeds.more(Section::Done, &filter, &Sweeps::default(), false), None);
    }

    #[test]
    fn a_late_response_is_dropped() {
        let mut feeds = Feeds::default();
        let (old, _) = asked(feeds.more(Section::Done, &Filter::default(), &Sweeps::default(), false));
        feeds.reset(None);
        assert!(feeds.response(old, None).is_none());
        assert!(!feeds.is_whole(Section::Done));
    }

    #[test]
    fn a_filter_for_a_state_does_not_change_the_other_sections() {
        let mut feeds = Feeds::default();
        let filter = Filter::read("failed poster");
        assert_eq!(feeds.more(Section::Cancelled, &filter, &Sweeps::default(), false), None);
        let (_, list) = asked(feeds.more(Section::Done, &filter, &Sweeps::default(), false));
        assert_eq!((list.states, list.text.as_deref()), (vec![RunStatus::Failed], Some("poster")));
    }
}
