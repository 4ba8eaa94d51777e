//! Curves of metrics: what is read of them and grows with new points, and how they are drawn. The inspector shows those
//! of one node, the screen of curves those of many runs.
//!
//! - `line`: one curve; `lines`: those that are shown, kept up to date
//! - `scale`: linear and logarithmic axes, smoothing; `plot`: draws curves on shared axes

pub mod line;
pub mod lines;
pub mod plot;
pub mod scale;
