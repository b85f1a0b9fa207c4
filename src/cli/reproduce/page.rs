//! The report: what was done, and each number beside the paper's.

use super::plan::{Plan, Way};
use super::stages::{ARCHITECTURES, Results};
use crate::Result;
use crate::cli::adapt::{curve_figure, curve_table};
use crate::cli::learn::learning_figure;
use crate::cli::table;
use crate::engine::Gpu;
use crate::legato::{Comparison, Estimates, Parameter, Split, expected_signal_to_noise};
use crate::report::number::fixed;
use crate::report::{
    Evaluated, Page, Table, add_evaluation, error_boxes, names, paper, statistics_table, truth_scatter,
};

/// Composes it.
///
/// # Errors
/// A figure that cannot be drawn.
pub fn compose(plan: &Plan, gpu: &Gpu, results: &Results) -> Result<Page> {
    let mut page = Page::new("DeepLeGATo: the paper's experiments");
    page.lead = format!(
        "The experiments of Tuccillo et al. (2018) at {} of their size, by legato {} on {} ({} processor cores). R² of \
         the paper stand beside ours; its galaxies are not the same ones.",
        fixed(plan.scale, 4),
        env!("CARGO_PKG_VERSION"),
        gpu.description(),
        std::thread::available_parallelism().map_or(1, usize::from),
    );
    page.heading("Galaxies that stand alone").text(how(plan)).table(accuracy(plan, results));
    if !results.together.is_empty() {
        page.text(
            "Before there was a network for each parameter, one of each architecture learned all of them. This is how \
             good it was by itself.",
        );
        page.table(together(plan, results));
    }
    let truths = results.test.truths();
    let snr: Vec<f64> =
        truths.iter().map(|truth| expected_signal_to_noise(truth, &results.test.meta)).collect();
    add_evaluation(&mut page, &Evaluated { truths, snr: &snr, estimates: &results.isolated })?;

    page.heading("Galaxies among others: before and after adaptation").text(format!(
        "Stamps of {} with companions on them, as real ones have. The better network of each parameter went on \
         learning from {} labelled ones (a fifth of them for validation), and is judged by {} others.",
        plan.crowded,
        plan.labelled(),
        plan.crowded_test
    ));
    page.table(adaptation(plan, results));
    let both = [results.crowded.before.clone(), results.crowded.after.clone()];
    let comparisons = Comparison::all(results.crowded.stamps.truths(), &both);
    let caption = "Agreement on crowded stamps, before and after adaptation.";
    page.table(statistics_table("crowded", caption, &comparisons));
    if let Some(split) = Split::by_companion(results.crowded.stamps.truths()) {
        page.figure(error_boxes(
            "crowded-by-companion",
            "Error against the flux of the brightest companion.",
            &comparisons,
            &split,
        )?);
        let within: Vec<Vec<Comparison>> = comparisons.iter().map(|c| split.of(c)).collect();
        for (group, (name, galaxies)) in split.groups.iter().enumerate().filter(|(_, (_, g))| !g.is_empty()) {
            let panels: Vec<Comparison> = within.iter().map(|groups| groups[group].clone()).collect();
            let caption = format!(
                "As in the panels of the paper's Figure 4: the {} galaxies whose brightest companion has this share of \
                 their flux: {name}.",
                galaxies.len()
            );
            page.figure(truth_scatter(&format!("crowded-truth-{group}"), &caption, &panels)?);
        }
    }
    page.figure(error_boxes(
        "crowded-by-magnitude",
        "Error on crowded stamps against true magnitude, as in the paper's Figure 7.",
        &comparisons,
        &Split::by_magnitude(results.crowded.stamps.truths()),
    )?);
    for (parameter, curve) in &results.crowded.curves {
        page.heading(format!("How many labelled galaxies are enough: {}", names::title(*parameter)));
        page.figure(curve_figure(*parameter, curve)?).table(curve_table(*parameter, curve));
    }

    page.heading("Learning");
    for (title, history) in &results.histories {
        let name = format!("learning-{}", title.replace(", ", "-").replace(' ', "-"));
        let caption = format!("{title}: the loss of the scaled targets, and R² on stamps held out.");
        page.figure(learning_figure(&name, &caption, history)?);
    }
    page.heading("How long it took").table(times(results));
    Ok(page)
}

/// How the networks learned, for people.
fn how(plan: &Plan) -> String {
    let galaxies = match &plan.way {
        Way::Together { together: (first, stamps), alone: (second, others), .. } => format!(
            "One network of each architecture learned all parameters from {} galaxies of {}, none of them seen twice, in \
             batches of {}. Then one for each parameter began with its weights and learned from {} more. The paper's \
             networks saw 40,000 galaxies in each of up to 310 epochs.",
            first.epochs * stamps,
            plan.survey,
            first.batch,
            second.epochs * others,
        ),
        Way::Apart { recipe, stamps } => format!(
            "Each network learned one parameter from {stamps} galaxies of {} ({} of them for validation), in at most {} \
             epochs.",
            plan.survey,
            fixed(100.0 * recipe.validation, 0) + "%",
            recipe.epochs
        ),
    };
    format!("{galaxies} They are judged by {} galaxies that none of them learned from.", plan.test)
}

/// The paper's Table 2 beside ours.
fn accuracy(plan: &Plan, results: &Results) -> Table {
    let row = |&parameter: &Parameter| {
        let paper = paper::simulated(parameter);
        let mut cells = vec![names::title(parameter).to_owned()];
        cells.extend(
            results.isolated.iter().map(|e| fixed(e.r2(parameter, results.test.truths(), |_| true), 4)),
        );
        cells.extend([paper.architecture_1, paper.architecture_2, paper.galfit].map(|r2| fixed(r2, 3)));
        cells
    };
    let ours = ARCHITECTURES.map(|a| format!("architecture {a}"));
    let theirs = ["paper, architecture 1", "paper, architecture 2", "paper, GALFIT"].map(String::from);
    Table {
        name: "table-2".into(),
        caption: "R² on galaxies that stand alone, beside the paper's Table 2.".into(),
        columns: std::iter::once("parameter".to_owned()).chain(ours).chain(theirs).collect(),
        rows: plan.parameters.iter().map(row).collect(),
    }
}

/// R² of the networks that learned everything.
fn together(plan: &Plan, results: &Results) -> Table {
    let row = |&parameter: &Parameter| {
        let of = |e: &Estimates| fixed(e.r2(parameter, results.test.truths(), |_| true), 4);
        std::iter::once(names::title(parameter).to_owned()).chain(results.together.iter().map(of)).collect()
    };
    Table {
        name: "together".into(),
        caption: "R² on galaxies that stand alone, of one network with an output for each parameter.".into(),
        columns: std::iter::once("parameter".to_owned())
            .chain(results.together.iter().map(|e| e.label.clone()))
            .collect(),
        rows: plan.parameters.iter().map(row).collect(),
    }
}

/// The paper's Table 3 beside ours.
fn adaptation(plan: &Plan, results: &Results) -> Table {
    let truths = results.crowded.stamps.truths();
    let alone = |i: usize| truths[i].companions == Some(0);
    let row = |&parameter: &Parameter| {
        let paper = paper::real(parameter);
        let of = |e: &Estimates| fixed(e.r2(parameter, truths, |_| true), 4);
        let better = results.better.get(&parameter).map_or(String::new(), ToString::to_string);
        let mut cells = vec![names::title(parameter).to_owned(), better];
        cells.push(of(&results.crowded.before));
        cells.push(fixed(results.crowded.before.r2(parameter, truths, alone), 4));
        cells.push(of(&results.crowded.after));
        cells.extend([paper.before, paper.isolated, paper.after, paper.galfit].map(|r2| fixed(r2, 3)));
        cells
    };
    let columns = [
        "parameter",
        "architecture",
        "before",
        "isolated only",
        "after",
        "paper, before",
        "paper, isolated only",
        "paper, after",
        "paper, two GALFIT catalogues",
    ];
    Table {
        name: "table-3".into(),
        caption: format!(
            "R² on crowded stamps, beside the paper's Table 3, which is of real galaxies. Isolated are the {} of {} \
             without a companion on the stamp.",
            (0..truths.len()).filter(|&i| alone(i)).count(),
            truths.len()
        ),
        columns: columns.map(String::from).to_vec(),
        rows: plan.parameters.iter().map(row).collect(),
    }
}

fn times(results: &Results) -> Table {
    let row = |(what, seconds): &(String, f64)| vec![what.clone(), fixed(*seconds, 0)];
    let mut rows: Vec<Vec<String>> = results.times.iter().map(row).collect();
    rows.push(vec!["all of it".into(), fixed(results.times.iter().map(|(_, s)| s).sum(), 0)]);
    Table {
        name: "times".into(),
        caption: "What took how long; of training, the epochs without their validation.".into(),
        columns: ["what", "seconds"].map(String::from).to_vec(),
        rows,
    }
}

/// The tables that matter, for a terminal.
pub fn summary(plan: &Plan, results: &Results) -> String {
    let lay_out = |t: Table| format!("{}\n{}", t.caption, table::of_report(&t));
    let mut parts = vec![lay_out(accuracy(plan, results)), lay_out(adaptation(plan, results))];
    parts.extend(
        results.crowded.curves.iter().map(|(parameter, curve)| lay_out(curve_table(*parameter, curve))),
    );
    parts.join("\n\n")
}
