//! Checks the parts of a run that comes from elsewhere, before anything of it is used.

use std::collections::{HashMap, HashSet};

use fanlight_shared::event::{Numbered, StateEvent};
use fanlight_shared::id::{AssetId, AttemptId, BlobHash, Version, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::Summary;
use fanlight_shared::value::Value;

use super::manifest::ManifestRun;
use crate::store::NewVersion;
use crate::store::record::{PointsRecord, RunPart, RunRecord, SeriesRecord, SharedRecord};

/// The longest texts that lists show, in bytes.
const MAX_TEXT: usize = 64 << 10;

/// What the runs of an archive may refer to.
#[derive(Default)]
pub(super) struct Known {
    versions: HashSet<Version>,
    workflows: HashMap<WorkflowId, String>,
    sweeps: HashMap<String, (WorkflowId, Version)>,
}

impl Known {
    /// Checks a record and adds it. Those that it refers to precede it.
    ///
    /// # Errors
    /// A sentence to follow "`shared.ndjson`".
    pub(super) fn add(&mut self, record: &SharedRecord) -> Result<(), String> {
        let new = match record {
            SharedRecord::Version(version) => {
                let NewVersion { hash, document, .. } = version;
                if Version::of(document) != *hash {
                    return Err("holds a workflow file that is not the one that it names".into());
                }
                self.versions.insert(hash.clone())
            }
            SharedRecord::Workflow(workflow) => {
                let slug = &workflow.slug;
                if !is_slug(slug) {
                    return Err("holds a workflow whose name has other characters than names have".into());
                }
                if workflow.title.len() > MAX_TEXT || !self.versions.contains(&workflow.version) {
                    return Err(format!("holds a damaged workflow `{slug}`"));
                }
                self.workflows.insert(workflow.id, slug.clone()).is_none()
            }
            SharedRecord::Sweep(sweep) => {
                // The slug before the number may be that of another home.
                let numbered = sweep.name.split_once('/').is_some_and(|(before, number)| {
                    is_slug(before) && number.bytes().all(|it| it.is_ascii_digit()) && number.len() <= 10
                });
                let named = fanlight_shared::sweep::check_name(&sweep.name).is_ok();
                let is_known =
                    self.workflows.contains_key(&sweep.workflow) && self.versions.contains(&sweep.version);
                if !is_known || !(numbered || named) {
                    return Err("holds a damaged sweep".into());
                }
                let of = (sweep.workflow, sweep.version.clone());
                self.sweeps.insert(sweep.name.clone(), of).is_none()
            }
        };
        if new { Ok(()) } else { Err("holds something twice".into()) }
    }
}

fn is_slug(slug: &str) -> bool {
    let fits = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_' | '-');
    !slug.is_empty() && slug.len() <= 64 && slug.chars().all(fits)
}

/// A run that is being checked.
pub(super) struct RunCheck<'a> {
    known: &'a Known,
    expected: &'a ManifestRun,
    run: Option<Run>,
    summary: Summary,
    counted: ManifestRun,
    /// The hashes of what names its parts: names may be long, and are not kept.
    keys: HashSet<BlobHash>,
    /// The last step of the series before.
    series: Option<Option<u64>>,
    /// The blobs that it names, and whether one is a folder.
    pub(super) blobs: HashMap<BlobHash, bool>,
    /// Those with the JSON of a long value.
    pub(super) long: HashSet<BlobHash>,
    pub(super) attempts: HashSet<AttemptId>,
    pub(super) assets: HashSet<AssetId>,
}

impl<'a> RunCheck<'a> {
    pub(super) fn new(known: &'a Known, expected: &'a ManifestRun) -> Self {
        let counted = ManifestRun { events: 0, values: 0, assets: 0, series: 0, ..expected.clone() };
        Self {
            known,
            expected,
            run: None,
            summary: Summary::default(),
            counted,
            keys: HashSet::new(),
            series: None,
            blobs: HashMap::new(),
            long: HashSet::new(),
            attempts: HashSet::new(),
            assets: HashSet::new(),
        }
    }

    /// Checks the next part.
    ///
    /// # Errors
    /// A sentence to follow the name of the run.
    pub(super) fn part(&mut self, part: &RunPart) -> Result<(), String> {
        let Some(run) = &self.run else {
            let RunPart::Run(record) = part else { return Err("does not begin with the run".into()) };
            return self.begin(record);
        };
        let id = run.id;
        match part {
            RunPart::Run(_) => return Err("holds two runs".into()),
            RunPart::Event(event) => self.event(event)?,
            RunPart::File(file) => {
                if !self.known.versions.contains(&file.version) {
                    return Err(format!("lacks the workflow file `{}`", file.name));
                }
                self.once(3, &file.reader, ItemPath::WHOLE, &file.name, 0)?;
            }
            RunPart::Value(value) => {
                self.once(0, &value.node, value.item, &value.port, 0)?;
                self.counted.values += 1;
                value.value.iter().for_each(|it| self.name(it));
                self.long.extend(value.large);
                if value.value.is_some() && value.large.is_some() {
                    return Err(format!("holds two values of `{}.{}`", value.node, value.port));
                }
            }
            RunPart::Asset(new) => {
                let asset = &new.asset;
                self.once(1, &asset.node, asset.item, &asset.port, asset.ordinal)?;
                if asset.run_id != id || asset.name.len() > MAX_TEXT || asset.mime.len() > MAX_TEXT {
                    return Err(format!("holds the damaged asset {}", asset.id));
                }
                self.counted.assets += 1;
                self.name(&asset.value);
                if !self.assets.insert(asset.id) {
                    return Err(format!("holds the asset {} twice", asset.id));
                }
            }
            RunPart::Series(series) => self.series(series)?,
            RunPart::Points(points) => self.points(points)?,
        }
        Ok(())
    }

    fn begin(&mut self, record: &RunRecord) -> Result<(), String> {
        let run = &record.run;
        if run.id != self.expected.id || run.state != self.expected.state || run.name() != self.expected.name
        {
            return Err("is not the run that the manifest names".into());
        }
        if !run.state.is_ended() {
            return Err("has not ended".into());
        }
        if self.known.workflows.get(&run.workflow_id) != Some(&run.workflow)
            || !self.known.versions.contains(&run.version)
        {
            return Err("lacks its workflow".into());
        }
        let sweep = run.sweep.as_ref().map(|sweep| self.known.sweeps.get(sweep));
        if sweep.is_some_and(|sweep| sweep.is_none_or(|(workflow, _)| *workflow != run.workflow_id)) {
            return Err("lacks its sweep".into());
        }
        let texts = [&run.label, &run.title];
        let long = texts.iter().any(|text| text.len() > MAX_TEXT)
            || run.error.as_ref().is_some_and(|error| error.len() > MAX_TEXT);
        if run.number == 0 || run.params_short || run.position.is_some() || long {
            return Err("is damaged".into());
        }
        run.params.values().for_each(|value| self.name(value));
        self.run = Some(run.clone());
        Ok(())
    }

    fn event(&mut self, event: &Numbered) -> Result<(), String> {
        self.counted.events += 1;
        if event.seq != self.counted.events {
            return Err(format!("lacks its event {}", self.counted.events));
        }
        self.summary.fold(&event.event);
        match &event.event {
            StateEvent::NodeUpdate(update) => self.attempts.extend(update.attempt_id),
            // Its place among the starts of this home is before all others.
            StateEvent::RunUpdate(update) if update.start_order.is_some_and(|order| order != 0) => {
                return Err("has a place among the starts of another home".into());
            }
            StateEvent::RunUpdate(_) => {}
        }
        Ok(())
    }

    fn series(&mut self, series: &SeriesRecord) -> Result<(), String> {
        self.once(2, &series.node, series.item, &series.name, 0)?;
        self.counted.series += 1;
        self.series = Some(None);
        if series.name.len() > fanlight_shared::metric::MAX_NAME
            || series.unit.as_ref().is_some_and(|unit| unit.len() > MAX_TEXT)
        {
            return Err("holds a metric whose name is too long".into());
        }
        Ok(())
    }

    fn points(&mut self, record: &PointsRecord) -> Result<(), String> {
        let last = self.series.as_mut().ok_or("holds points of no metric")?;
        for point in &record.points {
            if last.is_some_and(|last| point.step <= last) || point.step > fanlight_shared::metric::MAX_STEP {
                return Err("holds a metric whose steps don't grow".into());
            }
            *last = Some(point.step);
        }
        Ok(())
    }

    fn once(&mut self, kind: u8, node: &str, item: ItemPath, port: &str, ordinal: u32) -> Result<(), String> {
        let key = format!("{kind} {ordinal} {item} {} {node}{port}", node.len());
        if self.keys.insert(BlobHash::of(key.as_bytes())) {
            return Ok(());
        }
        Err(format!("holds something of `{node}{item}.{port}` twice"))
    }

    fn name(&mut self, value: &Value) {
        for (hash, folder) in value.blobs() {
            *self.blobs.entry(hash).or_default() |= folder;
        }
    }

    /// Checks that the run is whole. Returns it.
    ///
    /// # Errors
    /// A sentence to follow the name of the run.
    pub(super) fn finish(&mut self) -> Result<Run, String> {
        let run = self.run.take().ok_or("is empty")?;
        if self.counted != *self.expected {
            return Err("has not the parts that the manifest announces".into());
        }
        if self.summary != run.summary() {
            return Err("is damaged: its events lead to another state".into());
        }
        Ok(run)
    }
}
