//! `[prune]`: which ended runs are deleted from time to time.

use std::ops::Range;

use fanlight_shared::run::RunStatus;
use toml::Spanned;
use toml::de::DeValue;

use super::{SpannedError, duration, integer, size, texts, unknown_key};
use crate::config::PruneSettings;

const KEYS: [&str; 4] = ["older_than", "keep", "max_size", "states"];

pub(super) fn prune(value: &Spanned<DeValue<'_>>) -> Result<PruneSettings, SpannedError> {
    let Some(table) = value.get_ref().as_table() else {
        return Err((
            value.span(),
            "`prune` is a table, such as `older_than = \"30d\"` below `[prune]`".to_owned(),
        ));
    };
    let mut settings = PruneSettings::default();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "older_than" => settings.older_than = Some(duration(value)?),
            "keep" => settings.keep = Some(integer(value, 0)?),
            "max_size" => settings.max_bytes = Some(size(value)?),
            "states" => settings.states = states(value)?,
            unknown => return Err((key.span(), unknown_key(unknown, &KEYS))),
        }
    }
    if settings == PruneSettings::default() {
        return Err((value.span(), "`[prune]` has no condition, and would delete every run".to_owned()));
    }
    Ok(settings)
}

fn states(value: &Spanned<DeValue<'_>>) -> Result<Vec<RunStatus>, SpannedError> {
    const STATES: [RunStatus; 3] = [RunStatus::Completed, RunStatus::Failed, RunStatus::Cancelled];
    let state = |(span, text): (Range<usize>, String)| {
        let state = STATES.into_iter().find(|state| state.word() == text);
        state.ok_or_else(|| (span, format!("`{text}` is not one of completed, failed, cancelled")))
    };
    texts(value)?.into_iter().map(state).collect()
}
