from vaegan_tf.report import curves

METRICS = [
    {"step": 10, "kl": 3.0, "encoder_loss": 5.0, "learning_rate/encoder": 0.1},
    {"step": 10, "validation/kl": 4.0, "validation/pixel_error": 0.5},
    {"step": 20, "kl": 2.0, "encoder_loss": 4.0, "learning_rate/encoder": 0.1},
]
SPEEDS = [{"step": 20, "seconds": 1.0, "images_per_second": 80.0}]


def titles(group):
    return [chart.title for chart in group.charts]


def test_numbers_are_drawn_in_groups(make_record):
    held_out, training, details = curves.curve_groups(
        [make_record(metrics=METRICS, speeds=SPEEDS)]
    )
    # The reconstruction error first; rates that stay are not drawn.
    assert titles(held_out) == [
        "Squared error per pixel",
        "Divergence from the prior",
    ]
    assert titles(training) == ["Divergence from the prior"]
    assert titles(details) == ["Encoder: objective", "Speed"]
    assert [g.is_detail for g in (held_out, training, details)] == [
        False,
        False,
        True,
    ]


def test_every_run_that_has_a_number_has_a_line(make_record):
    one = make_record("a", 0, metrics=[{"step": 10, "kl": 1.0}])
    two = make_record("b", 1, metrics=[{"step": 10, "kl": 2.0, "real": 0.7}])
    (training,) = curves.curve_groups([one, two])
    drawn = {
        chart.title: [line.record.label for line in chart.lines]
        for chart in training.charts
    }
    assert drawn == {
        "Divergence from the prior": ["a", "b"],
        "Discriminator: real images": ["b"],
    }


def test_batches_of_different_size_are_compared_by_images(make_record):
    metrics = [{"step": 10, "kl": 1.0}]
    one = make_record("a", 0, metrics=metrics, batch_size=8)
    two = make_record("b", 1, metrics=metrics, batch_size=32)
    (training,) = curves.curve_groups([one, two])
    (chart,) = training.charts
    assert chart.across == "examples seen"
    assert [line.at for line in chart.lines] == ["80", "320"]
    (training,) = curves.curve_groups([one])
    assert training.charts[0].across == "steps"
    assert training.charts[0].lines[0].at == "10"


def test_rates_that_change_are_drawn(make_record):
    metrics = [
        {"step": step, "learning_rate/decoder": 1 / step} for step in (1, 2)
    ]
    (details,) = curves.curve_groups([make_record(metrics=metrics)])
    assert titles(details) == ["Decoder: learning rate"]


def test_a_number_nobody_knows_keeps_its_name(make_record):
    (details,) = curves.curve_groups(
        [make_record(metrics=[{"step": 1, "x": 2}])]
    )
    assert titles(details) == ["x"]


def test_scores_taken_during_training_are_drawn(make_record):
    tag = "evaluation/samples/frechet_distance/prior/ema"
    (group,) = curves.curve_groups([make_record(metrics=[{"step": 1, tag: 9}])])
    (chart,) = group.charts
    assert group.title == "Scores during training"
    assert chart.title == "Fréchet distance (samples, prior, ema)"
    assert chart.explanation.startswith("Distance between the models'")


def test_a_run_without_numbers(make_record):
    assert curves.curve_groups([make_record()]) == []


def test_latent_dimensions_are_drawn_in_descending_order(
    make_record, make_score
):
    record = make_record(scores=[make_score()])
    assert curves.latent_chart([record]) is None
    record.evaluation["latent"] = {"kl": [1.0, 3.0, 2.0]}
    (line,) = curves.latent_chart([record]).lines
    assert (line.last, line.at) == ("1", "3")
