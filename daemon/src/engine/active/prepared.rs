//! The work of an instance.

use std::sync::Arc;

use fanlight_shared::resources::Resources;

use crate::engine::sealed::Sealed;
use crate::executor::Work;

/// The work of an instance. Inputs that are built from secrets are added when an attempt starts.
#[derive(Clone)]
pub(in crate::engine) struct Prepared {
    pub(in crate::engine) work: Arc<Work>,
    pub(in crate::engine) sealed: Option<Arc<Sealed>>,
    /// What each attempt needs of the machine, if the node states it.
    pub(in crate::engine) resources: Option<Arc<Resources>>,
}

impl Prepared {
    /// Returns whether its executor needs nothing for it that may not be stored or known yet.
    pub(in crate::engine) fn can_be_prepared_ahead(&self) -> bool {
        let needs_disk = self.resources.as_ref().is_some_and(|needed| needed.disk > 0);
        self.sealed.is_none() && !needs_disk && self.work.is_self_contained()
    }
}
