//! Keys: the topmost layer first, then the actions.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::ui::action::Action;
use crate::ui::effect::Effect;
use crate::ui::keymap::{Found, Key};
use crate::ui::model::Model;
use crate::ui::shell::scopes;
use crate::ui::update::{act, step_top};

pub(super) fn press(model: &mut Model, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    if let Some(letter) = after_escape(model, key) {
        let mut effects = press(model, KeyEvent::from(KeyCode::Esc));
        effects.extend(press(model, letter));
        return effects;
    }
    let typed = is_typed(key);
    let text = model.layers.last().is_some_and(|layer| layer.takes_text());
    let action = if text && typed {
        model.pending.clear();
        None
    } else {
        match meaning(model, key) {
            Meaning::Action(action) => Some(action),
            Meaning::Nothing => None,
            Meaning::Wait => return Vec::new(),
        }
    };
    // They are about the terminal, so that no layer has to know them.
    if let Some(action @ (Action::Redraw | Action::Suspend)) = action {
        return act(model, action);
    }
    match step_top(model, |layer, model| layer.key(model, key, action)) {
        None => action.map(|action| act(model, action)).unwrap_or_default(),
        Some((mut effects, pass)) => {
            if let Some(action) = action.filter(|_| pass) {
                effects.extend(act(model, action));
            }
            effects
        }
    }
}

/// Passes pasted text to a layer that takes text. Terminals send line breaks as carriage returns.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    if !model.layers.last().is_some_and(|layer| layer.takes_text()) {
        return Vec::new();
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    step_top(model, |layer, model| layer.paste(model, &text)).map(|(effects, _)| effects).unwrap_or_default()
}

/// Returns the letter that was typed right after escape. Terminals report both as alt and the letter, so that on a slow
/// line they can't be distinguished. If alt with the letter is bound, it is that.
fn after_escape(model: &Model, key: KeyEvent) -> Option<KeyEvent> {
    let alone = (key.modifiers & (KeyModifiers::ALT | KeyModifiers::CONTROL)) == KeyModifiers::ALT;
    let text = model.layers.last().is_some_and(|layer| layer.takes_text());
    let means_nothing = || matches!(model.keymap.find(&scopes(model), &[Key::from(key)]), Found::Nothing);
    let letter = matches!(key.code, KeyCode::Char(_)) && alone && !text && means_nothing();
    letter.then(|| KeyEvent::new(key.code, key.modifiers - KeyModifiers::ALT))
}

/// Returns whether a key writes or edits text in a text input.
fn is_typed(key: KeyEvent) -> bool {
    match key.code {
        KeyCode::Char(_) => !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT),
        KeyCode::Backspace | KeyCode::Delete | KeyCode::Left | KeyCode::Right => true,
        KeyCode::Home | KeyCode::End => true,
        _ => false,
    }
}

enum Meaning {
    Action(Action),
    Wait,
    Nothing,
}

/// Returns the meaning of a key after the pending ones.
fn meaning(model: &mut Model, key: KeyEvent) -> Meaning {
    let key = Key::from(key);
    if !model.pending.is_empty() && key == Key::from(KeyEvent::from(KeyCode::Esc)) {
        model.pending.clear();
        return Meaning::Wait;
    }
    let scopes = scopes(model);
    model.pending.push(key);
    model.pending_since = model.now;
    match model.keymap.find(&scopes, &model.pending) {
        Found::More => Meaning::Wait,
        Found::Action(action) => {
            model.pending.clear();
            Meaning::Action(action)
        }
        Found::Nothing => {
            let began = model.pending.len() > 1;
            model.pending.clear();
            // A key that doesn't continue the sequence has its own meaning.
            match began.then(|| model.keymap.find(&scopes, &[key])) {
                Some(Found::Action(action)) => Meaning::Action(action),
                Some(Found::More) => {
                    model.pending.push(key);
                    Meaning::Wait
                }
                Some(Found::Nothing) | None => Meaning::Nothing,
            }
        }
    }
}
