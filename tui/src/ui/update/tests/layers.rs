//! Help, palette, prompts: the layers over the panes.

use super::*;
use crate::ui::layer::prompt::Prompt;
use crate::ui::testing::{opened, write};

#[test]
fn the_palette_finds_and_runs_a_command() {
    let mut model = busy();
    press(&mut model, ":");
    write(&mut model, "zoom the pane");
    press(&mut model, "enter");
    assert!(model.layers.is_empty());
    assert!(model.zoomed);
}

#[test]
fn a_key_for_a_screen_that_has_nothing_to_show_says_so() {
    for key in ["T", "Y", "V"] {
        let mut model = opened();
        model.workflow.as_mut().unwrap().document.workflow_id = None;
        press(&mut model, key);
        assert!(model.layers.is_empty(), "{key}");
        assert!(screen(&mut model, 120, 40).contains("has no runs yet"), "{key}");
    }
    let mut model = busy();
    press(&mut model, "2 H");
    assert!(model.layers.is_empty() && screen(&mut model, 120, 40).contains("trials are those of a search"));
}

#[test]
fn letters_in_the_palette_are_text() {
    let mut model = busy();
    press(&mut model, ": q");
    assert_eq!(model.layers.len(), 1);
    press(&mut model, "esc");
    assert!(model.layers.is_empty());
}

#[test]
fn help_is_searched_and_does_what_is_chosen() {
    let mut model = busy();
    press(&mut model, "? /");
    write(&mut model, "mouse on");
    let effects = press(&mut model, "enter");
    assert!(effects.contains(&Effect::Mouse(false)));
}

#[test]
fn every_layer_can_be_drawn_again_and_suspended() {
    for keys in ["?", ":", "? /", "w", "r", "i"] {
        let mut model = busy();
        press(&mut model, keys);
        let open = model.layers.len();
        assert_eq!(press(&mut model, "ctrl-l"), [Effect::Redraw], "{keys}");
        assert_eq!(press(&mut model, "ctrl-z"), [Effect::Suspend], "{keys}");
        assert_eq!(model.layers.len(), open, "{keys}");
    }
}

#[test]
fn a_prompt_refuses_and_stays_open() {
    let mut model = busy();
    let prompt = Prompt::new("How many?", "", |_, text| match text.parse::<u32>() {
        Ok(_) => Ok(vec![Effect::Redraw]),
        Err(_) => Err("a number is needed".to_owned()),
    });
    model.layers.push(prompt.into());
    write(&mut model, "x");
    press(&mut model, "enter");
    assert!(screen(&mut model, 80, 24).contains("a number is needed"));
    press(&mut model, "backspace");
    write(&mut model, "3");
    assert!(press(&mut model, "enter").contains(&Effect::Redraw));
}

#[test]
fn leaving_a_prompt_undoes_its_changes() {
    let mut model = busy();
    let prompt = Prompt::new("Filter", "old", |_, _| Ok(Vec::new())).live(|model, text| {
        model.options.folder = text.into();
        Vec::new()
    });
    model.layers.push(prompt.into());
    write(&mut model, "er");
    assert_eq!(model.options.folder, std::path::Path::new("older"));
    press(&mut model, "esc");
    assert_eq!(model.options.folder, std::path::Path::new("old"));
}

#[test]
fn pasted_text_goes_into_the_prompt_and_never_to_keys() {
    let mut model = busy();
    assert!(update(&mut model, Message::Paste("q".to_owned())).iter().all(|it| *it != Effect::Quit));
    press(&mut model, ":");
    update(&mut model, Message::Paste("zoom\nthe".to_owned()));
    assert!(screen(&mut model, 100, 30).contains("zoom the"));
}

#[test]
fn the_continuations_of_a_key_sequence_appear_after_a_pause() {
    let mut model = busy();
    press(&mut model, "g");
    assert!(!screen(&mut model, 120, 40).contains("first"));
    let later = model.now.plus(std::time::Duration::from_millis(400));
    update(&mut model, Message::Tick(later));
    assert!(screen(&mut model, 120, 40).contains("first"));
    press(&mut model, "esc");
    assert!(model.pending.is_empty());
}

#[test]
fn a_letter_right_after_escape_is_not_taken_for_alt_and_the_letter() {
    let mut model = busy();
    press(&mut model, "?");
    assert_eq!(model.layers.len(), 1);
    press(&mut model, "alt-2");
    assert!(model.layers.is_empty());
    assert_eq!(model.pane, Pane::Queue);
}
