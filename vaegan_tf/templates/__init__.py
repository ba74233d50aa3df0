"""The pages that are made of Jinja templates: how they are read."""

import jinja2


def environment(package: str, *, autoescape: bool = True) -> jinja2.Environment:
    """Templates in the folder `templates` of a package, and what pages share.

    A name that is not given is an error, and lines of tags leave no trace.

    Args:
        package: Its dotted name.
        autoescape: Whether what is put in is text, and no HTML.
    """
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader(package),
                jinja2.PackageLoader("vaegan_tf.templates", ""),
            ]
        ),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
