// German.
#include "handlers/pages/texts/messages.hpp"

namespace handlers::pages {

const constinit messages german{
    .email = "E-Mail-Adresse",
    .password = "Passwort",
    .new_password = "Neues Passwort",
    .your_name = "Ihr Name",
    .workspace_name = "Name des Arbeitsbereichs",
    .optional = "freiwillig",
    .continue_ = "Weiter",
    .cancel = "Abbrechen",
    .back_to_sign_in = "Zurück zur Anmeldung",
    .or_ = "oder",
    .show_password = "Passwort anzeigen",
    .hide_password = "Passwort verbergen",
    .go_to_console = "Zur Konsole",
    .page_needs_link = "Diese Seite öffnet sich über einen Link in einer E-Mail.",
    .token_label = "Code oder Link aus der E-Mail",
    .token_hint = "Fügen Sie den ganzen Link ein oder den Teil nach „token=“.",
    .console_needs_script = "Die Konsole braucht JavaScript, {0} nicht.",
    .the_api = "die API",

    .sign_in_title = "Anmelden",
    .sign_in_button = "Anmelden",
    .sign_in_with = "Mit {0} anmelden",
    .forgot_link = "Passwort vergessen?",
    .no_account = "Neu hier?",
    .create_account_link = "Konto anlegen",
    .sign_up_title = "Konto anlegen",
    .sign_up_button = "Konto anlegen",
    .sign_up_with = "Weiter mit {0}",
    .password_hint =
        "Mindestens 8 Zeichen. Mehrere Wörter ohne Zusammenhang merkt man sich leicht und errät man schwer.",
    .have_account = "Sie haben schon ein Konto?",
    .sign_in_link = "Anmelden",
    .workspace_hint = "Was Sie mit Ihrem Team teilen. Der Name lässt sich später ändern.",
    .sign_out_title = "Abmelden",
    .sign_out_text = "Sie sind als {0} angemeldet. In diesem Browser abmelden?",
    .sign_out_button = "Abmelden",
    .not_signed_in = "Sie sind in diesem Browser nicht angemeldet.",

    .forgot_title = "Passwort zurücksetzen",
    .forgot_text =
        "Geben Sie die E-Mail-Adresse Ihres Kontos ein. Wir senden Ihnen einen Link, mit dem Sie ein neues "
        "Passwort wählen.",
    .forgot_button = "Link senden",
    .reset_title = "Neues Passwort wählen",
    .reset_text = "Sie werden auf allen Geräten abgemeldet.",
    .reset_button = "Passwort ändern",
    .current_password = "Bisheriges Passwort",
    .current_password_hint = "Nur wenn die E-Mail danach fragt.",
    .revoke_keys = "Auch alle meine API-Schlüssel widerrufen",
    .check_mail_title = "Sehen Sie in Ihr Postfach",
    .check_mail_sign_up =
        "Wir haben Ihnen eine E-Mail gesendet. Öffnen Sie den Link darin, um Ihr Konto fertigzustellen.",
    .check_mail_reset =
        "Wenn es ein Konto mit dieser Adresse gibt, haben wir ihm einen Link gesendet, mit dem Sie ein "
        "neues Passwort wählen.",
    .check_mail_spam =
        "Nach einigen Minuten noch nichts? Sehen Sie im Spam-Ordner nach oder fordern Sie eine weitere "
        "E-Mail an.",
    .resend_title = "Erneut senden",
    .resend_button = "Weitere E-Mail senden",

    .verify_title = "E-Mail-Adresse bestätigen",
    .verify_text =
        "Mit dieser E-Mail-Adresse wurde ein Konto angelegt. Waren Sie das? Dann geben Sie das Passwort ein, "
        "das Sie gewählt haben.",
    .verify_button = "Ja, das war ich",
    .disown_button = "Nein, das war ich nicht",
    .verify_with = "Ja, ich habe mich mit {0} registriert",
    .verify_session_hint = "Nicht nötig, wenn das Konto {0} ist, mit dem Sie angemeldet sind.",
    .email_change_title = "E-Mail-Adresse ändern",
    .email_change_text =
        "Bitte bestätigen Sie mit Ihrem Passwort, dass Sie sich mit dieser E-Mail-Adresse anmelden "
        "möchten.",
    .email_change_button = "Bestätigen",
    .email_change_with = "Mit {0} bestätigen",
    .invite_title = "Sie sind eingeladen",
    .invite_open_text = "Jemand hat Sie in einen Arbeitsbereich eingeladen.",
    .invite_text = "{0} lädt Sie als {2} in {1} ein.",
    .invite_text_without_inviter = "Sie sind als {1} in {0} eingeladen.",
    .invite_email_text = "Die Einladung gilt für {0}.",
    .invite_button = "{0} beitreten",
    .invite_choose_password = "Passwort wählen",
    .invite_your_password = "Ihr Passwort",
    .invite_unproved =
        "Mit dieser E-Mail-Adresse wurde ein Konto angelegt und nie bestätigt. Wenn Sie es angelegt "
        "haben, geben Sie sein Passwort ein: Sie behalten es. Wenn nicht, wählen Sie ein neues "
        "Passwort: Sie erhalten ein neues Konto, und jenes verliert diese Adresse.",
    .invite_session_text = "Sie sind als {0} angemeldet.",
    .invite_other_session =
        "Sie sind als {0} angemeldet, aber die Einladung gilt für {1}. Mit dem Beitritt werden Sie "
        "als {1} angemeldet.",
    .invite_with = "Mit {0} beitreten",
    .role_admin = "Admin",
    .role_manager = "Manager",
    .role_member = "Mitglied",
    .unsubscribe_title = "Abbestellen",
    .unsubscribe_text = "Sie erhalten dann keine E-Mails dieser Art mehr.",
    .unsubscribe_button = "Abbestellen",
    .claim_title = "Ihr API-Schlüssel",
    .claim_text = "Der Schlüssel wird nur einmal angezeigt. Halten Sie einen sicheren Ort für ihn bereit.",
    .claim_button = "Schlüssel anzeigen",
    .claim_done_text = "Das ist Ihr API-Schlüssel. Er wird nicht noch einmal angezeigt.",
    .copy = "Kopieren",
    .copied = "Kopiert",

    .done_title = "Erledigt",
    .done_signed_in = "Sie sind angemeldet.",
    .done_signed_out = "Sie wurden in diesem Browser abgemeldet.",
    .done_verified = "Ihre E-Mail-Adresse ist bestätigt.",
    .done_disowned = "Das Konto wurde geschlossen. Ihre Adresse gehört nicht mehr dazu.",
    .done_password_changed = "Ihr Passwort wurde geändert. Sie können sich jetzt anmelden.",
    .done_email_changed = "Ihre E-Mail-Adresse wurde geändert.",
    .done_joined = "Sie gehören jetzt zu dem Arbeitsbereich.",
    .done_unsubscribed = "Sie erhalten diese E-Mails nicht mehr.",
    .done_mail_sent = "Wenn ein Konto auf Bestätigung wartet, haben wir eine weitere E-Mail gesendet.",
    .provider_title = "Weiter zu {0}",
    .provider_text = "Sie werden zur Anmeldung zu {0} weitergeleitet.",
    .provider_link = "Weiter",

    .error_prefix = "Fehler: {0}",
    .summary_title = "Bitte prüfen Sie Ihre Angaben",
    .field_required = "Bitte füllen Sie dieses Feld aus.",
    .email_invalid = "Geben Sie eine E-Mail-Adresse ein, etwa ada@example.com.",
    .password_short = "Das Passwort braucht mindestens 8 Zeichen.",
    .password_long = "Das Passwort ist zu lang.",
    .password_weak =
        "Dieses Passwort ist zu leicht zu erraten. Nehmen Sie mehrere Wörter ohne Zusammenhang; vermeiden "
        "Sie Namen, Daten und Tastenfolgen.",
    .text_long = "Dieser Text ist zu lang.",
    .value_invalid = "Dieser Wert wird nicht angenommen.",
    .token_missing = "Fügen Sie den Code oder den Link aus der E-Mail ein.",
    .error_title = "Etwas ist schiefgegangen",
    .not_found_title = "Seite nicht gefunden",
    .not_found_text = "Unter dieser Adresse gibt es nichts. Prüfen Sie den Link oder beginnen Sie von vorn.",
    .cross_site_text =
        "Diese Anfrage kam von einer anderen Website und wurde abgelehnt. Öffnen Sie die Seite hier und "
        "versuchen Sie es erneut.",
    .https_text =
        "Die Anmeldung im Browser braucht HTTPS. Bitte sagen Sie dem Betreiber dieses Servers, dass "
        "LATCHKEY_PUBLIC_URL eine https://-Adresse sein muss.",
    .rate_limited_text = "Zu viele Versuche. Bitte warten Sie einen Augenblick und versuchen Sie es erneut.",
    .unavailable_text =
        "Der Dienst ist ausgelastet oder startet gerade neu. Bitte versuchen Sie es gleich erneut.",
    .internal_text =
        "Das ist unser Fehler. Bitte versuchen Sie es erneut; wenn es wieder geschieht, melden Sie die "
        "Nummer unten.",
    .bad_request_text =
        "Der Browser hat etwas gesendet, das diese Seite nicht lesen kann. Laden Sie die Seite neu und "
        "versuchen Sie es erneut.",
    .too_large_text = "Das war zu viel Text. Bitte kürzen Sie ihn und versuchen Sie es erneut.",
    .forbidden_text = "Das ist nicht erlaubt.",
    .request_id = "Anfrage {0}",
    .wrong_credentials = "Die E-Mail-Adresse oder das Passwort ist falsch.",
    .wrong_password = "Das Passwort ist falsch.",
    .invalid_token =
        "Dieser Link gilt nicht mehr: Er wurde benutzt, ersetzt oder ist abgelaufen. Fordern Sie einen "
        "neuen an.",
    .email_taken = "Es gibt schon ein Konto mit dieser E-Mail-Adresse.",
    .account_disabled = "Dieses Konto ist gesperrt.",
    .email_not_verified =
        "Die E-Mail-Adresse dieses Kontos ist noch nicht bestätigt. Öffnen Sie den Link in der E-Mail, "
        "die wir Ihnen gesendet haben.",
    .link_required =
        "Es gibt ein Konto mit dieser E-Mail-Adresse, und der Anbieter beweist nicht, dass es Ihres ist. "
        "Melden Sie sich mit dem Passwort an und verknüpfen Sie den Anbieter in Ihrem Konto.",
    .wrong_account = "Die Einladung gilt für eine andere E-Mail-Adresse als die dieses Kontos.",
    .already_member = "Sie gehören schon zu diesem Arbeitsbereich.",
    .conflict = "Gleichzeitig hat sich etwas geändert. Bitte versuchen Sie es erneut.",
    .other_identity = "Die Anmeldung war mit einem anderen Konto des Anbieters.",
    .provider_failed = "Die Anmeldung wurde nicht abgeschlossen.",
    .invite_accepted = "Die Einladung wurde schon angenommen. Sie können sich anmelden.",
    .invite_cancelled = "Die Einladung wurde zurückgezogen.",
    .invite_replaced = "Dieser Link wurde durch einen in einer neueren E-Mail ersetzt.",
    .invite_expired = "Die Einladung ist abgelaufen. Bitten Sie um eine neue.",
    .needs_sign_in = "Es gibt ein Konto mit dieser E-Mail-Adresse. Geben Sie dessen Passwort ein.",
    .other_account =
        "Jenes Konto des Anbieters gehört hier zu einem anderen Konto oder hat eine andere E-Mail-Adresse. "
        "Es wurde nichts geändert.",
    .sign_in_again = "Bitte melden Sie sich noch einmal an, um fortzufahren.",
};

} // namespace handlers::pages
