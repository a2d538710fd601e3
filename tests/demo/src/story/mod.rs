//! The story, scene by scene.
//!
//! Owns their order and the words. A scene that fails is noted, and the next one is played all the same. Must never know
//! how the things of the stage work.

mod answers;
mod invite;
mod outbox;
mod power_cut;
mod refusals;

use crate::stage::Stage;

const TEAM_OBJECTS: &str = "get pinv -n payments";

/// Plays all scenes.
pub(crate) async fn play(stage: &mut Stage) {
    macro_rules! scene {
        ($title:expr, $scene:path) => {
            stage.terminal.scene($title);
            let ended = $scene(stage).await;
            stage.checks.scene_ended(stage.terminal, $title, ended);
        };
    }
    scene!("1  Who may invite: a Secret and an Inviter", invite::inviters);
    scene!("2  Jane is invited", invite::jane);
    scene!("3  Jane accepts", answers::jane_accepts);
    scene!("4  Sam does not answer", answers::sam_lets_it_expire);
    scene!("5  Look first, send nothing: mode Observe", refusals::observe);
    scene!("6  A wrong manifest is refused at once", refusals::by_kubernetes);
    scene!("7  What MongoDB refuses stands in a condition", refusals::by_mongodb);
    scene!("8  The platform team's inviter, and its limits", refusals::by_policy);
    scene!("9  Power cut in the worst moment", power_cut::play);
    scene!("10  Who got how many e-mails", outbox::play);
}
