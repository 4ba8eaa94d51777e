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
