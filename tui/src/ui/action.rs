//! Every action, declared once: its name, description, keys and scope. Key handling, the hint line, `?` and `:` use
//! this list.

/// Where an action works.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scope {
    /// In every pane, unless a layer that takes text is open.
    All,
    /// In the grid pane.
    Grid,
    /// In the queue pane.
    Queue,
    /// In the gallery pane.
    Gallery,
    /// In the node inspector.
    Inspector,
    /// In the full-screen viewer of a product.
    Viewer,
    /// In the comparison.
    Compare,
    /// On the screen of curves.
    Curves,
    /// In the table of runs.
    Table,
    /// On the contact sheet.
    Sheet,
    /// Among parallel coordinates.
    Parallel,
    /// Among the trials of a search.
    Trials,
    /// On the home screen.
    Home,
    /// In the form that starts runs.
    Form,
    /// Where questions are answered.
    Questions,
}

macro_rules! actions {
    ($($(#[$doc:meta])* $id:ident $name:literal $scope:ident [$($key:literal),*] $words:literal)+) => {
        /// An action of the user.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Action { $($(#[$doc])* #[doc = $words] $id,)+ }

        /// Every action, in the order of the help.
        pub const ACTIONS: &[Info] = &[
            $(Info { action: Action::$id, name: $name, scope: Scope::$scope, keys: &[$($key),*], words: $words },)+
        ];
    };
}

/// An action as data.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// Which.
    pub action: Action,
    /// Its name in keymap files.
    pub name: &'static str,
    /// Where it works.
    pub scope: Scope,
    /// Its default keys; several keys in one string are a sequence.
    pub keys: &'static [&'static str],
    /// Its description, for help, palette and hints.
    pub words: &'static str,
}

actions! {
    Left "left" All ["h", "left"] "left"
    Down "down" All ["j", "down"] "down"
    Up "up" All ["k", "up"] "up"
    Right "right" All ["l", "right"] "right"
    First "first" All ["g g", "home"] "first"
    Last "last" All ["G", "end"] "last"
    HalfPageDown "half_page_down" All ["ctrl-d", "pagedown"] "half a page down"
    HalfPageUp "half_page_up" All ["ctrl-u", "pageup"] "half a page up"
    Open "open" All ["enter"] "open"
    Back "back" All ["esc"] "one step back"
    NextPane "next_pane" All ["tab"] "next pane"
    PreviousPane "previous_pane" All ["backtab"] "previous pane"
    GridPane "grid_pane" All ["1"] "grid"
    QueuePane "queue_pane" All ["2"] "queue"
    GalleryPane "gallery_pane" All ["3"] "gallery"
    Zoom "zoom" All ["z"] "zoom the pane"
    OlderRun "older_run" All ["["] "older run, pinned"
    NewerRun "newer_run" All ["]"] "newer run, pinned"
    Pin "pin" All ["p"] "pin or unpin the lens"
    Run "run" All ["r"] "run with a form"
    RunAgain "run_again" All ["R"] "run again with the same params"
    Stop "stop" All ["s"] "stop the focused run"
    Answer "answer" All ["a"] "answer what is asked"
    Parent "parent" All ["b"] "back to the parent run"
    Edit "edit" All ["e"] "edit the workflow"
    Workflows "workflows" All ["w"] "workflows"
    Search "search" All ["/"] "filter"
    NextMatch "next_match" All ["n"] "next match"
    PreviousMatch "previous_match" All ["N"] "previous match"
    Curves "curves" All ["V"] "curves of metrics"
    Mark "mark" All ["space"] "mark"
    RunsTable "runs_table" All ["T"] "table of all runs"
    Sheet "sheet" All ["Y"] "sheet of products by two params"
    Copy "copy" All ["y"] "copy"
    Palette "palette" All [":"] "all commands"
    Help "help" All ["?"] "help"
    Mouse "mouse" All ["M"] "mouse on or off"
    Redraw "redraw" All ["ctrl-l"] "draw again"
    Suspend "suspend" All ["ctrl-z"] "suspend"
    Retry "retry" All ["ctrl-r"] "try again; repeats failed requests"
    Messages "messages" All [] "messages"
    Dismiss "dismiss" All ["backspace"] "dismiss messages"
    Quit "quit" All ["q", "ctrl-c"] "quit; runs continue"

    Inspect "inspect" Grid ["enter"] "inspect the node; or go to the run that it started"
    InspectAlways "inspect_always" Grid ["i"] "inspect the node, also one that started a run"
    PanLeft "pan_left" Grid ["H"] "pan left"
    PanDown "pan_down" Grid ["J"] "pan down"
    PanUp "pan_up" Grid ["K"] "pan up"
    PanRight "pan_right" Grid ["L"] "pan right"
    ZoomIn "zoom_in" Grid ["+", "="] "zoom in"
    ZoomOut "zoom_out" Grid ["-"] "zoom out"
    Fit "fit" Grid ["0"] "fit"
    Follow "follow" Grid ["f"] "follow; the running node stays in view"
    List "list" Grid ["t"] "list or graph"
    NextFailed "next_failed" Grid ["!"] "next failed node"
    Values "values" Grid ["v"] "values of all runs"
    Fork "fork" Grid ["F"] "fork the run at this node"

    NextTab "next_tab" Inspector ["l", "right", "tab"] "next tab"
    PreviousTab "previous_tab" Inspector ["h", "left", "backtab"] "previous tab"
    FollowLog "follow_log" Inspector ["f"] "follow the log"
    Wrap "wrap" Inspector ["W"] "wrap lines"
    Reasoning "reasoning" Inspector ["R"] "reasoning; shown or folded"
    Pager "pager" Inspector ["o"] "open in the pager"
    NextItem "next_item" Inspector ["}"] "next item"
    PreviousItem "previous_item" Inspector ["{"] "previous item"
    Find "find" Inspector ["/"] "search"

    PinRun "pin_run" Queue ["enter"] "pin the lens here"
    CancelRun "cancel_run" Queue ["x"] "cancel the run"
    CancelQueued "cancel_queued" Queue ["X"] "cancel all that wait"
    Resume "resume" Queue ["u"] "resume"
    PauseQueue "pause_queue" Queue ["P"] "pause; or continue"
    Cap "cap" Queue ["C"] "runs at once"
    CompareRuns "compare_runs" Queue ["c"] "compare marked runs"
    Sort "sort" Queue ["o"] "sort"
    Thumbnails "thumbnails" Queue ["i"] "pictures of ended runs; shown or hidden"
    Label "label" Queue ["L"] "label"
    DeleteRun "delete_run" Queue ["D"] "delete"
    PauseSweep "pause_sweep" Queue ["S"] "pause the sweep; or continue"
    Trials "trials" Queue ["H"] "trials of the search"
    Fold "fold" Queue ["h", "left"] "fold the run, the sweep or the section"
    Unfold "unfold" Queue ["l", "right"] "unfold"

    ViewTile "view_tile" Gallery ["enter"] "view"
    PinTile "pin_tile" Gallery ["p"] "pin its run"
    CompareTiles "compare_tiles" Gallery ["c"] "compare marked tiles"
    Star "star" Gallery ["*"] "star"
    OpenOutside "open_outside" Gallery ["o"] "open outside"
    SaveAs "save_as" Gallery ["S"] "save as"
    Filters "filters" Gallery ["F"] "filters"
    GalleryScope "gallery_scope" Gallery ["m"] "scope; of one node, the workflow or everything"
    DeleteAsset "delete_asset" Gallery ["D"] "delete"

    ViewNewer "view_newer" Viewer ["h", "left"] "the newer run's"
    ViewOlder "view_older" Viewer ["l", "right"] "the older run's"
    ViewNextNode "view_next_node" Viewer ["j", "down"] "the next node's"
    ViewPreviousNode "view_previous_node" Viewer ["k", "up"] "the previous node's"
    ViewZoomIn "view_zoom_in" Viewer ["+", "="] "zoom in"
    ViewZoomOut "view_zoom_out" Viewer ["-"] "zoom out"
    ViewFit "view_fit" Viewer ["0"] "fit"
    Recipe "recipe" Viewer ["i"] "recipe"
    ViewStar "view_star" Viewer ["*"] "star"
    ViewOpenOutside "view_open_outside" Viewer ["o"] "open outside"
    ViewSaveAs "view_save_as" Viewer ["S"] "save as"
    ViewDelete "view_delete" Viewer ["D"] "delete"
    ViewChanges "view_changes" Viewer ["enter"] "files of a folder or a patch"
    ViewPin "view_pin" Viewer ["p"] "pin its run"

    Flicker "flicker" Compare ["f"] "flicker between two"
    Slider "slider" Compare ["s"] "slider; the left of one picture, the right of another"
    SliderLeft "slider_left" Compare ["<", ","] "slider to the left"
    SliderRight "slider_right" Compare [">", "."] "slider to the right"
    CompareChanges "compare_changes" Compare ["enter"] "changes; lines of texts, files of folders and patches"
    Difference "difference" Compare ["d"] "difference of two pictures"
    CompareNext "compare_next" Compare ["l", "right"] "next"
    ComparePrevious "compare_previous" Compare ["h", "left"] "previous"
    CompareZoomIn "compare_zoom_in" Compare ["+", "="] "zoom in"
    CompareZoomOut "compare_zoom_out" Compare ["-"] "zoom out"
    CompareFit "compare_fit" Compare ["0"] "fit"

    NextMetric "next_metric" Curves ["tab"] "next metric"
    PreviousMetric "previous_metric" Curves ["backtab"] "previous metric"
    CurvesAxis "curves_axis" Curves ["x"] "step or time"
    CurvesLog "curves_log" Curves ["L"] "log axes; of values, of steps, both or none"
    Smooth "smooth" Curves ["S"] "smooth; an exponential moving average"
    PinCurve "pin_curve" Curves ["enter"] "pin its run"

    SortColumn "sort_column" Table ["o"] "sort by this column"
    ImportanceOfParams "importance" Table ["i"] "which params matter for this column"
    ParallelAxes "parallel" Table ["p"] "parallel coordinates of these runs"
    HideColumn "hide_column" Table ["-"] "hide this column"
    AllColumns "all_columns" Table ["+", "="] "show hidden columns again"
    CompareRows "compare_rows" Table ["c"] "compare marked runs"
    CancelRows "cancel_rows" Table ["x"] "cancel marked runs, or this one"
    ForkRow "fork_row" Table ["F"] "fork this run at a node"

    SheetColumns "sheet_columns" Sheet ["x"] "other columns"
    SheetRows "sheet_rows" Sheet ["y"] "other rows"
    SheetExchange "sheet_exchange" Sheet ["t"] "exchange them"
    SheetProduct "sheet_product" Sheet ["o"] "other product"
    SheetLarger "sheet_larger" Sheet ["+", "="] "larger"
    SheetSmaller "sheet_smaller" Sheet ["-"] "smaller"
    AxisLeft "axis_left" Parallel ["H", "shift-left"] "move this axis to the left"
    AxisRight "axis_right" Parallel ["L", "shift-right"] "move this axis to the right"
    HideAxis "hide_axis" Parallel ["-"] "hide this axis"
    AllAxes "all_axes" Parallel ["+", "="] "all axes; or those that differ"
    FlipAxis "flip_axis" Parallel ["f"] "turn this axis upside down"
    PinLine "pin_line" Parallel ["enter"] "pin this run"


    SortTrials "sort_trials" Trials ["o"] "the newest first; or the best"
    PinTrial "pin_trial" Trials ["enter"] "pin this run"

    NewWorkflow "new_workflow" Home ["N"] "new workflow from an example"

    RunSelected "run_selected" Home ["r"] "run with a form"
    EditSelected "edit_selected" Home ["e"] "edit"

    Submit "submit" Form ["enter", "ctrl-s"] "start"
    NextField "next_field" Form ["tab"] "next field, or the rest of a path"
    PreviousField "previous_field" Form ["backtab"] "previous field"

    Give "give" Questions ["enter", "ctrl-s"] "answer"
    SayYes "say_yes" Questions ["y"] "yes"
    SayNo "say_no" Questions ["n"] "no"
    NextQuestion "next_question" Questions ["tab"] "next question"
    PreviousQuestion "previous_question" Questions ["backtab"] "previous question"
}

impl Action {
    /// Returns the action as data.
    #[must_use]
    pub fn info(self) -> &'static Info {
        // The enum and the list come from one macro, in one order.
        &ACTIONS[self as usize]
    }

    /// Returns the action of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ACTIONS.iter().find(|info| info.name == name).map(|info| info.action)
    }
}

impl Scope {
    /// All scopes, in the order of the help.
    pub const ALL: [Self; 15] = [
        Self::Grid,
        Self::Queue,
        Self::Gallery,
        Self::Inspector,
        Self::Viewer,
        Self::Compare,
        Self::Curves,
        Self::Table,
        Self::Sheet,
        Self::Parallel,
        Self::Trials,
        Self::Home,
        Self::Form,
        Self::Questions,
        Self::All,
    ];

    /// Returns the word used in keymap files and as a heading.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "everywhere",
            Self::Grid => "grid",
            Self::Queue => "queue",
            Self::Gallery => "gallery",
            Self::Inspector => "inspector",
            Self::Viewer => "viewer",
            Self::Compare => "compare",
            Self::Curves => "curves",
            Self::Table => "table",
            Self::Sheet => "sheet",
            Self::Parallel => "parallel",
            Self::Trials => "trials",
            Self::Home => "home",
            Self::Form => "form",
            Self::Questions => "questions",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_action_has_a_name_of_its_own() {
        let names: HashSet<_> = ACTIONS.iter().map(|info| info.name).collect();
        assert_eq!(names.len(), ACTIONS.len());
    }

    #[test]
    fn every_action_is_found_by_its_own_words() {
        for info in ACTIONS {
            assert_eq!(info.action.info().name, info.name);
            assert_eq!(Action::named(info.name), Some(info.action));
        }
    }

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for info in ACTIONS {
            for other in
                ACTIONS.iter().filter(|other| other.action != info.action && other.scope == info.scope)
            {
                assert!(
                    !info.keys.iter().any(|key| other.keys.contains(key)),
                    "{} and {}",
                    info.name,
                    other.name
                );
            }
        }
    }

    #[test]
    fn the_prefix_keys_of_tmux_and_screen_stay_free() {
        assert!(!ACTIONS.iter().any(|info| info.keys.contains(&"ctrl-a") || info.keys.contains(&"ctrl-b")));
    }
}
