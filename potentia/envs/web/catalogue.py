"""The names of the web tasks, so that ids are registered without importing what they need."""

__all__ = ["APP_TASKS", "MINIWOB_TASKS"]

APP_TASKS: tuple[str, ...] = (
    "ShopAddToCart",
    "ShopBuy",
    "ShopSaveAddress",
    "ShopReview",
    "ShopRemoveFromCart",
    "ShopPrice",
    "ShopBuyTwo",
    "MailStar",
    "MailDelete",
    "MailContact",
    "MailReply",
    "MailWhen",
    "MailLabel",
    "MailHandOver",
    "CalendarCancel",
    "CalendarReminder",
    "CalendarWhere",
    "CalendarCreate",
    "CalendarMove",
    "CalendarGuests",
    "CalendarSwap",
    "NotesCreate",
    "NotesDelete",
    "NotesLeftItem",
    "NotesTick",
    "NotesArchiveTag",
    "NotesUpdateList",
    "NotesMerge",
    "TrackerComment",
    "TrackerDeleteComment",
    "TrackerNewIssue",
    "TrackerOwner",
    "TrackerTriage",
    "TrackerBulkClose",
    "TrackerFinishMilestone",
    "AdminSuspend",
    "AdminInvite",
    "AdminSettings",
    "AdminFailedSignIn",
    "AdminReview",
    "AdminDelete",
    "AdminHandover",
    "StockByMail",
    "EventFromMail",
    "OrderFromNote",
    "InviteFromMail",
    "ReportUser",
)
"""The tasks on the applications. `potentia.envs.web.tasks.TEMPLATES` has the same."""

_MINIWOB = {
    10: """
        ascending-numbers bisect-angle buy-ticket choose-date-easy choose-list circle-center click-button
        click-button-sequence click-checkboxes click-checkboxes-transfer click-collapsible click-collapsible-2
        click-collapsible-2-nodelay click-collapsible-nodelay click-color click-dialog click-dialog-2 click-link
        click-menu click-menu-2 click-option click-pie click-pie-nodelay click-scroll-list click-shape click-tab
        click-tab-2 click-tab-2-easy click-tab-2-hard click-tab-2-medium click-test click-test-2 click-test-transfer
        click-widget copy-paste copy-paste-2 count-shape count-sides drag-box drag-circle drag-items drag-shapes
        drag-shapes-2 drag-single-shape draw-circle draw-line enter-date enter-password enter-text enter-text-2
        enter-text-dynamic enter-time find-greatest find-midpoint find-word focus-text focus-text-2 form-sequence-2
        form-sequence-3 grid-coordinate highlight-text highlight-text-2 identify-shape login-user
        login-user-popup phone-book read-table read-table-2 resize-textarea right-angle scroll-text-2 simple-algebra
        simple-arithmetic text-transform unicode-test use-autocomplete use-autocomplete-nodelay use-colorwheel
        use-colorwheel-2 visual-addition
    """,
    20: """
        book-flight book-flight-nodelay button-delay choose-date-medium click-checkboxes-soft click-shades
        daily-calendar drag-cube drag-items-grid email-inbox email-inbox-delete email-inbox-forward
        email-inbox-forward-nl email-inbox-forward-nl-turk email-inbox-important email-inbox-nl-turk
        email-inbox-noscroll email-inbox-reply email-inbox-star-reply form-sequence generate-number guess-number
        hot-cold multi-layouts multi-orderings navigate-tree scroll-text search-engine social-media terminal
        text-editor tic-tac-toe
    """,
    40: """
        choose-date choose-date-nodelay click-checkboxes-large drag-sort-numbers hover-shape number-checkboxes
        odd-or-even order-food sign-agreement simon-says social-media-all social-media-some use-slider use-slider-2
        use-spinner
    """,
    60: """
        chase-circle moving-items stock-market
    """,
}
"""The pages of MiniWoB++ 1.1 by the number of steps that an episode on them may have: a few times what it takes."""

MINIWOB_TASKS: dict[str, int] = dict(
    sorted((name, budget) for budget, names in _MINIWOB.items() for name in names.split())
)
"""The pages of MiniWoB++ 1.1, and after how many steps an episode on them is cut."""
