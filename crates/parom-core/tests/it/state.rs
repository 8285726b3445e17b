//! The states and their legal changes.

use parom_core::delivery::state::{State, TRANSITIONS, allowed};

#[test]
fn each_state_has_its_word_and_a_way_out_or_is_an_end() {
    for state in State::ALL {
        assert_eq!(State::parse(state.as_str()), Some(*state));
        let leaves = TRANSITIONS.iter().any(|(from, _)| from == state);
        assert_eq!(leaves, *state != State::Canceled, "{state}");
    }
    assert_eq!(State::parse("lost"), None);
}

#[test]
fn nothing_doubtful_is_sent_or_given_up_without_a_look() {
    assert!(!allowed(State::Unconfirmed, State::Sending));
    assert!(!allowed(State::Unconfirmed, State::Canceled));
    assert!(!allowed(State::Sending, State::Canceled));
    assert!(!allowed(State::Disputed, State::Queued), "a disputed order is looked up before it is sent");
    assert!(!allowed(State::Delivered, State::Queued));
}
