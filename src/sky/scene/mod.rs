//! What is on a stamp and around it, drawn from a survey: the galaxy, what makes it irregular, its companions and
//! the neighbours beyond the stamp's edges.
//!
//! | file | idea |
//! |---|---|
//! | `target.rs` | the galaxy and its PSF |
//! | `asymmetry.rs` | its parts |
//! | `count.rs` | how many companions there are |
//! | `companions.rs` | and what and where they are |

mod asymmetry;
mod companions;
mod count;
mod target;

pub(super) use target::{Targets, psf};

use super::draws::Draws;
use super::render::Source;
use super::survey::Survey;
use super::truth::Truth;
use crate::Result;
use asymmetry::Shape;
use companions::{Companion, Crowd};

/// Draws a survey's scenes.
pub(super) struct Scenes {
    pub(super) targets: Targets,
    crowd: Option<Crowd>,
}

/// A stamp's scene, in parameters.
pub(super) struct Scene {
    pub(super) truth: Truth,
    shape: Shape,
    /// Those whose centres are on the stamp.
    companions: Vec<Companion>,
    /// Those beyond its edges.
    neighbours: Vec<Companion>,
}

impl Scenes {
    pub(super) fn new(survey: &Survey, targets: Targets) -> Self {
        Scenes { targets, crowd: survey.companions.map(|law| Crowd::new(law, survey.stamp_size)) }
    }

    pub(super) fn draw(&self, survey: &Survey, draws: Draws) -> Scene {
        let mut truth = self.targets.draw(survey, draws);
        let shape = survey.asymmetry.map_or(Shape::default(), |law| Shape::draw(&law, draws));
        let (companions, neighbours) = match &self.crowd {
            Some(crowd) => crowd.draw(&truth, draws),
            None => (Vec::new(), Vec::new()),
        };
        let brightest = companions.iter().max_by(|a, b| a.flux_ratio.total_cmp(&b.flux_ratio));
        truth.lopsided = Some(shape.lopsided());
        truth.second = Some(shape.second());
        truth.companions = Some(companions.len() as u32);
        truth.companion_ratio = Some(brightest.map_or(0.0, |c| c.flux_ratio));
        truth.companion_distance = brightest.map(|c| (c.x - truth.x).hypot(c.y - truth.y));
        Scene { truth, shape, companions, neighbours }
    }
}

impl Scene {
    /// The sources of the scene: the galaxy's parts, the companions, the neighbours.
    ///
    /// # Errors
    /// As [`Sersic::new`](super::Sersic::new); a survey that passed its checks gives none.
    pub(super) fn sources(&self, zero_point: f64) -> Result<Vec<Source>> {
        let mut sources = self.shape.sources(&self.truth, zero_point)?;
        let flux = super::flux_of(self.truth.mag, zero_point);
        for companion in self.companions.iter().chain(&self.neighbours) {
            sources.push(companion.source(flux)?);
        }
        Ok(sources)
    }
}
