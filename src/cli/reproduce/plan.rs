//! How much of everything at a scale; kept in the folder, since a second start must not change it.

use super::Arguments;
use crate::cli::adapt::sizes_of_a_curve;
use crate::legato::{Parameter, Recipe};
use crate::{Error, Result, files};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// The file that it is kept in.
const FILE: &str = "plan.json";
/// Steps that a network needs at the least, as far as images suffice for batches of [`SMALLEST_BATCH`].
const STEPS: usize = 2000;
const SMALLEST_BATCH: usize = 8;
const LARGEST_BATCH: usize = 64;

/// What is done, and how much of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Share of the full size.
    pub scale: f64,
    /// `best`, or another recipe's name.
    pub recipe_name: String,
    pub parameters: Vec<Parameter>,
    pub curves: Vec<Parameter>,
    pub survey: String,
    pub crowded: String,
    pub seed: u64,
    /// How networks learn.
    pub way: Way,
    /// Galaxies that stand alone, to judge by.
    pub test: usize,
    /// Galaxies among others, to judge by.
    pub crowded_test: usize,
    /// Numbers of labelled galaxies for the curves; all adapt to the last.
    pub sizes: Vec<usize>,
    /// Stamps that an adaptation sees at most, repeats counted.
    pub most_seen: usize,
}

/// How networks learn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// One network learns all parameters from galaxies drawn meanwhile; then one for each goes on from it.
    Together {
        /// The first one's recipe, and stamps an epoch.
        together: (Recipe, usize),
        /// The others'.
        alone: (Recipe, usize),
        /// Stamps held out, each.
        held_out: usize,
    },
    /// Each from random weights, on a data set.
    Apart {
        recipe: Recipe,
        /// Stamps of the data set.
        stamps: usize,
    },
}

impl Plan {
    /// The plan that is asked for.
    ///
    /// # Errors
    /// A scale that makes no sense, or no such recipe.
    pub fn new(arguments: &Arguments, seed: u64) -> Result<Self> {
        let scale = arguments.scale;
        if !(scale > 0.0 && scale <= 100.0) {
            return Err(Error::Usage(format!("--scale {scale}: it must be above 0 and at most 100")));
        }
        if let Some(other) = arguments.curves.iter().find(|p| !arguments.parameters.contains(p)) {
            return Err(Error::Usage(format!("--curves {other}: it is not among --parameters")));
        }
        let of = |full: f64, least: usize| ((full * scale).round() as usize).max(least);
        let way = if arguments.recipe == "best" {
            let best = Recipe::find("best")?;
            let fitting = |images: usize| (images / STEPS).clamp(SMALLEST_BATCH, LARGEST_BATCH);
            let images = of(1e6, 64);
            let together = Recipe { batch: fitting(images), ..best.clone() };
            // An eighth of the work for each, from half the rate on.
            let alone =
                Recipe { epochs: 4, learning_rate: 0.5 * best.learning_rate, batch: together.batch, ..best };
            let share = |images: usize, recipe: &Recipe| (images / recipe.epochs).max(recipe.batch);
            let (first, second) = (share(images, &together), share(images / 8, &alone));
            Way::Together {
                together: (together, first),
                alone: (alone, second),
                held_out: of(2000.0, 240).min(2000),
            }
        } else {
            Way::Apart { recipe: Recipe::find(&arguments.recipe)?, stamps: of(50_000.0, 20) }
        };
        let most = of(4000.0, 400);
        let sizes = sizes_of_a_curve(&arguments.sizes, most);
        Ok(Plan {
            scale,
            recipe_name: arguments.recipe.clone(),
            parameters: arguments.parameters.clone(),
            curves: arguments.curves.clone(),
            survey: arguments.survey.clone(),
            crowded: arguments.crowded.clone(),
            seed,
            way,
            test: of(5000.0, 400),
            crowded_test: of(1000.0, 400),
            sizes,
            most_seen: of(80_000.0, 1000),
        })
    }

    /// Takes the folder for this plan, or one that holds a part of the same.
    ///
    /// # Errors
    /// It holds another plan's work, or something else.
    pub fn claim(&self, folder: &Path) -> Result<()> {
        files::make_folder(folder)?;
        let path = folder.join(FILE);
        if !path.exists() {
            let mut entries = std::fs::read_dir(folder).map_err(|e| Error::io(folder, "list", e))?;
            if entries.next().is_some() {
                return Err(Error::Usage(format!(
                    "{} holds other things: choose another folder with -o",
                    folder.display()
                )));
            }
            let text = serde_json::to_vec_pretty(self)
                .map_err(|e| Error::Catalogue { path: path.clone(), message: e.to_string() })?;
            return files::replace(&path, &text);
        }
        let earlier: Option<Plan> = serde_json::from_slice(&files::read(&path)?).ok();
        match earlier {
            Some(earlier) if earlier == *self => Ok(()),
            _ => Err(Error::Usage(format!(
                "{} was begun with other settings or another version: give the same ones, or choose another folder with -o",
                folder.display()
            ))),
        }
    }

    /// Labelled galaxies that are adapted to.
    pub fn labelled(&self) -> usize {
        self.sizes.last().copied().unwrap_or(0)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scale {}: ", self.scale)?;
        match &self.way {
            Way::Together { together: (first, stamps), alone: (second, others), .. } => write!(
                f,
                "{} new galaxies for a network of each architecture, and {} for each parameter",
                first.epochs * stamps,
                second.epochs * others
            )?,
            Way::Apart { recipe, stamps } => {
                write!(f, "{stamps} galaxies for each network, each seen at most {} times", recipe.epochs)?;
            }
        }
        write!(
            f,
            "; {} to judge by; up to {} to adapt to, judged by {}",
            self.test,
            self.labelled(),
            self.crowded_test
        )
    }
}
