//! Recognises reports that are stored already: a later daemon reads those of an adopted attempt from the beginning.

use fanlight_shared::metric::{NewPoints, Point};

use super::Series;

/// The part of some reports that is not stored yet.
pub(super) struct Unknown<'a> {
    pub(super) points: &'a [Point],
    /// How many further reports there were, which were thinned out on the way.
    pub(super) thinned: u64,
    /// How many reports there are then, as the attempt counts them.
    pub(super) reported: u64,
}

impl Series {
    pub(super) fn unknown<'a>(&self, new: &'a NewPoints) -> Unknown<'a> {
        let all = new.points.len() as u64;
        let reported = new.after.saturating_sub(new.before);
        let known = self.reported.saturating_sub(new.before).min(reported);
        let counted = reported == all;
        let skip = match self.last {
            Some(last) if known > 0 && (self.replaced == 0 || (!counted && known < reported)) => {
                let up_to_last = new.points.iter().take_while(|point| point.step <= last.step).count() as u64;
                // Points that were thinned out on the way can't be counted, but their steps grow.
                if counted { up_to_last.min(known) } else { up_to_last }
            }
            _ => known.min(all),
        };
        // No step went back, and still a counted one is beyond the last: the program has written its file again since.
        let again = skip < all && (known == reported || (counted && skip < known));
        let known = if again { skip } else { known };
        let points = &new.points[skip as usize..];
        let thinned = if counted { 0 } else { (reported - known).saturating_sub(points.len() as u64) };
        Unknown { points, thinned, reported: if again { new.after } else { self.reported.max(new.after) } }
    }
}
