//! Every input of the corpora, those that once broke something among them.

use crate::{TARGETS, inputs};

#[test]
fn every_input_of_the_corpora_holds() {
    for (target, check) in TARGETS {
        let inputs = inputs(target);
        assert!(inputs.len() >= 20, "{target} has only {} inputs", inputs.len());
        for (name, bytes) in inputs {
            let holds = std::panic::catch_unwind(|| check(&bytes)).is_ok();
            assert!(holds, "corpus/{target}/{name}: see above");
        }
    }
}
