"""Which of several models is better: one page that shows it."""

from vaegan_tf.report.page import write_report

__all__ = ["write_report"]
